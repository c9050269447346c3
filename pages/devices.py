"""``/devices``: where the owner is signed in, and a link for one more device."""

from __future__ import annotations

from lulu.ui import page_context
from lulu.ui.sharing import devices

devices.show(page_context.for_owner())
