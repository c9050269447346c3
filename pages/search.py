"""``/search?q=…``: every event of every session."""

from __future__ import annotations

from lulu.ui import page_context
from lulu.ui.views import search

search.show(page_context.for_owner().lulu)
