"""``/devices``: signed-in devices, and a link for one more."""

from __future__ import annotations

from lulu.ui import page_context
from lulu.ui.sharing import devices

devices.show(page_context.for_owner())
