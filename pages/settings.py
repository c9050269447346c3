"""``/settings``: the current settings and the agent in use."""

from __future__ import annotations

from lulu.ui import page_context
from lulu.ui.views import settings

settings.show(page_context.for_owner())
