"""``/preview?id=…``: a guest's view of a session, for the owner."""

from __future__ import annotations

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.model.sessions import parse_session_id
from lulu.ui import alerts, navigation, page_context
from lulu.ui.session import guest, view
from lulu.ui.sharing import share

_page = page_context.for_owner()
_ids = st.query_params.get_all("id")

try:
    _session_id = parse_session_id(_ids[0] if len(_ids) == 1 else None)
except SessionNotFound:
    alerts.show_ended()
else:
    st.page_link(
        navigation.session(),
        label="This is how a guest sees it. Back to the session",
        icon=":material/arrow_back:",
        query_params={"id": _session_id},
    )
    _options = share.options_in(st.query_params.get("output"), st.query_params.get("thinking"))
    guest.show(view.of_preview(_page, _session_id, _options))
