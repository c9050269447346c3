"""``/search?q=…``: every event of every session."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity
from lulu.ui.views import search

identity.actor().require_owner()
search.show(runtime.current())
