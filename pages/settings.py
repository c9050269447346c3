"""``/settings``: the values in force and which agent is at work."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity, settings_page

_actor = identity.actor()
_actor.require_owner()
settings_page.show(runtime.current(), _actor)
