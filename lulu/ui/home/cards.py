"""Cards on Home for sessions that run, wait, have just failed or are on hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import streamlit as st

from lulu.model.actors import Role
from lulu.model.events import Error, StoredEvent, Text
from lulu.model.sessions import Session, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.store import log_topic
from lulu.text.labels import safe_label
from lulu.transcript.activity import LOOK_BACK
from lulu.ui import alerts, formats, identity, navigation
from lulu.ui.approvals import decide, request
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext
from lulu.ui.session import activity_line, header
from lulu.ui.sidebar import sidebar
from lulu.ui.styles import CARDS

#: How long after a failure its session still has a card.
NEWS = timedelta(minutes=15)
#: Cards on one page; the list has the other sessions.
MOST = 30
#: Characters that are drawn of an agent's last line.
_LINE_LIMIT = 160


def show(page: PageContext) -> None:
    """Draw the cards under their heading; draw no element if no session lives or is on hold."""
    shown = _shown(page.lulu)
    if not shown:
        return
    st.header("Now", anchor=False)
    with st.container(key=CARDS):
        for session in shown[:MOST]:
            _card(page, session.id)
        if len(shown) > MOST:
            st.caption(f"And {formats.plural(len(shown) - MOST, 'more session')}: see the list.")


def _shown(lulu: Runtime) -> list[Session]:
    """Return the sessions with a card: waiting, just failed, running, on hold; each group by activity."""
    at_work = [one for one in lulu.store.sessions.live() if one.known_status is not SessionStatus.WAITING]
    failed = lulu.store.sessions.failed_since(datetime.now(UTC) - NEWS)
    shown = [*lulu.store.sessions.waiting(), *failed, *at_work, *lulu.store.sessions.on_hold()]
    return list({session.id: session for session in shown}.values())


@st.fragment
@alerts.told
@identity.owner_only
def _card(page: PageContext, session_id: SessionId) -> None:
    """Draw one card. It is renewed with each event of its session, but not with each word."""
    topic = log_topic(session_id)
    bell(topic, seen=page.lulu.store.bus.version(topic), key=f"card_{session_id}")
    written = page.lulu.store.events.live_text(session_id)
    session = page.lulu.store.sessions.get(session_id)
    asked = page.lulu.store.approvals.find(session_id)
    rows = page.lulu.store.events.of_session(session_id, limit=LOOK_BACK)
    found = activity_line.doing(session, rows, written, asked)
    with st.container(border=True, key=f"card_{session_id}", gap="xsmall"):
        _show_title(page, session)
        st.caption(
            formats.line(
                sidebar.row_details(session), formats.money(session.cost_usd) if session.cost_usd is not None else ""
            )
        )
        if found is not None:
            activity_line.show(page.lulu, session, found)
        if last := last_line(rows):
            st.caption(f":gray[{safe_label(last, _LINE_LIMIT)}]")
        for approval in asked[:1]:
            request.show_briefly(page, approval)
        if len(asked) > 1:
            st.caption(f"+ {formats.plural(len(asked) - 1, 'more request')}")
        header.show_refusal(session_id)
        alerts.show_problem(decide.place(session_id))


def _show_title(page: PageContext, session: Session) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            navigation.session(),
            label=f"**{safe_label(session.name)}**",
            query_params={"id": session.id},
            width="stretch",
        )
        if session.is_live and page.actor.role is Role.OWNER:
            header.stop_button(page, session.id, key=f"stop_{session.id}")


def last_line(rows: Iterable[StoredEvent]) -> str:
    """Return the agent's last line, or the error after it; empty if the events have neither."""
    last = ""
    for stored in rows:
        said = stored.event.content if isinstance(stored.event, Text) else ""
        said = stored.event.message if isinstance(stored.event, Error) else said
        lines = [line.strip() for line in said.splitlines() if line.strip(" \t`#>*_-|")]
        last = lines[-1] if lines else last
    return last
