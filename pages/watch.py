"""A guest's only page: the session that was shared."""

from __future__ import annotations

from lulu import runtime
from lulu.model.sessions import SessionId
from lulu.ui import identity
from lulu.ui.session import guest

_actor = identity.actor()
_lulu = runtime.current()
_access = _lulu.store.get_access(_actor.access_id) if _actor.access_id is not None else None

if _actor.session_id is None or _access is None:
    guest.show_ended()
else:
    guest.show(_lulu, SessionId(_actor.session_id), _access.options)
