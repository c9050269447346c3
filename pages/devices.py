"""``/devices``: where the owner is signed in, and a link for one more device."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity
from lulu.ui.sharing import devices

devices.show(runtime.current(), identity.actor())
