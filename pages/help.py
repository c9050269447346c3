"""``/help``: keys and notifications."""

from __future__ import annotations

from lulu.ui import identity
from lulu.ui.views import help as help_page

identity.actor().require_owner()
help_page.show()
