"""``/inbox``: everything that agents ask, in one place."""

from __future__ import annotations

from lulu import runtime
from lulu.ui import identity
from lulu.ui.views import inbox

_actor = identity.actor()
_actor.require_owner()
inbox.show(runtime.current(), _actor)
