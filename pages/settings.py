"""``/settings``: the values in force and which agent is at work."""

from __future__ import annotations

from lulu.ui import page_context
from lulu.ui.views import settings

settings.show(page_context.for_owner())
