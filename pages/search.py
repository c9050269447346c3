"""``/search?q=…``: every event of every session."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity, search_page

identity.actor().require_owner()
search_page.show(runtime.current())
