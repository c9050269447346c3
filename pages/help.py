"""``/help``: keys and notifications."""

from __future__ import annotations

from lulu.ui import help_page, identity

identity.actor().require_owner()
help_page.show()
