"""``/search?q=…``: every event of every session."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import search_page

search_page.show(runtime.current())
