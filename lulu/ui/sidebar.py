"""The list of sessions beside every page, and the ways to the other pages."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from lulu.runtime import Runtime
from lulu.sessions import Session, SessionStatus
from lulu.store import APPROVALS, SESSIONS
from lulu.ui import notices, places, wording
from lulu.ui.bell import bell
from lulu.ui.look import NEW_SESSION, OPEN_ROW, PAGES, SESSION_LIST, SESSION_SEARCH
from lulu.ui.state import LIST_STEP, state, typed
from lulu.ui.text import safe_label


def show(lulu: Runtime, open_id: str | None) -> None:
    """Draw the sidebar; ``open_id`` is the session that the page shows."""
    with st.sidebar:
        with st.container(key=PAGES, gap=None):
            with st.container(key=NEW_SESSION):
                st.page_link(places.home(), label="New session", icon=":material/add:", width="stretch")
            _inbox_link(lulu)
            st.page_link(places.search(), label="Search", icon=":material/search:", width="stretch")
            st.page_link(places.settings(), label="Settings", icon=":material/settings:", width="stretch")
        _sessions(lulu, open_id)
        st.caption(f":material/smart_toy: {wording.agent(lulu.agent.kind)} at work")


@st.fragment
@notices.told
def _inbox_link(lulu: Runtime) -> None:
    """The way to the inbox, with the number of requests that wait."""
    bell(APPROVALS, seen=lulu.store.bus.version(APPROVALS), key="inbox_count")
    waiting = len(lulu.store.approvals())
    count = f" :blue-badge[{waiting}]" if waiting else ""
    st.page_link(places.inbox(), label=f"Inbox{count}", icon=":material/inbox:", width="stretch")


@st.fragment
@notices.told
def _sessions(lulu: Runtime, open_id: str | None) -> None:
    """Search field and rows; renewed when any row changes."""
    bell(SESSIONS, seen=lulu.store.bus.version(SESSIONS), key="sidebar")
    st.text_input(
        "Search sessions",
        key=SESSION_SEARCH,
        type="search",
        live=True,
        placeholder="Search titles and prompts",
        label_visibility="collapsed",
    )
    search = typed(SESSION_SEARCH).strip()
    found = lulu.store.list_sessions(limit=state().rows_shown + 1, search=search)
    shown = found[: state().rows_shown]
    with st.container(key=SESSION_LIST, gap=None):
        for session in waiting_first(shown):
            _row(session, is_open=session.id == open_id)
        if not shown:
            st.caption("Nothing matches." if search else "No sessions yet. Type a prompt to start one.")
    if len(found) > len(shown):
        st.button("Show more", key="show_more", type="tertiary", width="stretch", on_click=_show_more)


def waiting_first(sessions: Iterable[Session]) -> list[Session]:
    """Those that wait for a person, then the others; each in the order they came."""
    return sorted(sessions, key=lambda session: session.known_status is not SessionStatus.WAITING)


def _row(session: Session, *, is_open: bool) -> None:
    label = f"{safe_label(session.name)} :small[{row_details(session)}]"
    if is_open:
        with st.container(key=OPEN_ROW):
            _link(session, label)
    else:
        _link(session, label)


def _link(session: Session, label: str) -> None:
    st.page_link(places.session(), label=label, query_params={"id": session.id}, width="stretch")


def row_details(session: Session) -> str:
    """The small second line: status, folder, age."""
    parts = (wording.folder(session.working_directory), wording.age(session.created_at))
    return wording.line(wording.status(session), f":gray[{wording.line(*parts)}]")


def _show_more() -> None:
    state().rows_shown += LIST_STEP
