"""``/settings``: the values in force and which agent is at work."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity
from lulu.ui.views import settings

_actor = identity.actor()
_actor.require_owner()
settings.show(runtime.current(), _actor)
