"""``/``: start a session; see what runs or waits right now."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity
from lulu.ui.home import new_session

_lulu = runtime.current()
_actor = identity.actor()
_actor.require_owner()
new_session.show(_lulu, _actor)
new_session.show_now(_lulu, _actor)
