"""``/``: start a session; see what runs or waits right now."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity, launch

_lulu = runtime.current()
_actor = identity.actor()
_actor.require_owner()
launch.show(_lulu, _actor)
launch.show_now(_lulu, _actor)
