"""``/help``: keys and notifications."""

from __future__ import annotations

from lulu.ui import help_page

help_page.show()
