"""``/inbox``: every open request of every session."""

from __future__ import annotations

from lulu.ui import page_context
from lulu.ui.views import inbox

inbox.show(page_context.for_owner())
