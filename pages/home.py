"""``/``: start a session; see what runs or waits right now."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity, launch

_lulu = runtime.current()
launch.show(_lulu, identity.actor())
launch.show_now(_lulu, identity.actor())
