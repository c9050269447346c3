"""``/session?id=…``: one session: header, transcript, composer."""

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.model.sessions import Session, SessionStatus, parse_session_id
from lulu.text.labels import one_line
from lulu.ui import alerts, page_context
from lulu.ui.browser import address_bar
from lulu.ui.home import drafts
from lulu.ui.session import checklist, composer, feed, header, view

_page = page_context.for_owner()
_ids = st.query_params.get_all("id")


def _show(session: Session) -> None:
    st.set_page_config(page_title=one_line(session.name))
    event = st.query_params.get("event")
    address_bar.keep(session.id, event)
    seen = view.of_owner(_page, session.id)
    header.show(seen)
    if session.known_status is SessionStatus.DRAFT:
        drafts.show(_page, session)
    else:
        has_checklist = checklist.is_kept(_page.lulu, session.id)
        feed.show(seen, session, event=event, has_checklist=has_checklist)
        composer.show(_page, session, has_checklist=has_checklist)


# None of the pages stops its run: the sidebar is drawn after them.
try:
    _found = _page.lulu.store.sessions.get(parse_session_id(_ids[0] if len(_ids) == 1 else None))
except SessionNotFound:
    alerts.not_found()
else:
    _show(_found)
