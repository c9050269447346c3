"""``/session?id=…``: one session: header, transcript, composer."""

from __future__ import annotations

import streamlit as st

from lulu import runtime
from lulu.errors import SessionNotFound
from lulu.sessions import SessionStatus, parse_session_id
from lulu.ui import address, composer, drafts, feed, header, identity, notices
from lulu.ui.text import one_line

_lulu = runtime.current()
_actor = identity.actor()
_actor.require_owner()
_ids = st.query_params.get_all("id")

try:
    _session = _lulu.store.get_session(parse_session_id(_ids[0] if len(_ids) == 1 else None))
except SessionNotFound:
    notices.not_found()
    st.stop()

st.set_page_config(page_title=one_line(_session.name))
address.keep(_session.id, st.query_params.get("event"))
header.show(_lulu, _actor, _session.id)
if _session.known_status is SessionStatus.DRAFT:
    drafts.show(_lulu, _actor, _session)
    st.stop()
feed.show(_lulu, _actor, _session, event=st.query_params.get("event"))
composer.show(_lulu, _actor, _session)
