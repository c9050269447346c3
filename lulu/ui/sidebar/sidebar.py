"""The sidebar of every page: links to the other pages, and the list of sessions."""

from __future__ import annotations

import streamlit as st

from lulu.model.sessions import Session
from lulu.runtime import Runtime
from lulu.store import APPROVALS, SESSIONS
from lulu.ui import alerts, formats, identity, navigation
from lulu.ui.browser import keyboard, notifications, page_head, unsent
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext
from lulu.ui.sidebar import bulk_actions, filters, session_rows
from lulu.ui.state import LIST_STEP, is_on, state, typed
from lulu.ui.styles import NEEDS_YOU, NEW_SESSION, PAGES, SESSION_LIST, SESSION_SEARCH


def show(page: PageContext, open_id: str | None) -> None:
    """Draw the sidebar; ``open_id`` is the session that the page shows."""
    with st.sidebar:
        with st.container(key=PAGES, gap=None):
            with st.container(key=NEW_SESSION):
                st.page_link(navigation.home(), label="New session", icon=":material/add:", width="stretch")
            _inbox_link(page.lulu)
            st.page_link(navigation.search(), label="Search", icon=":material/search:", width="stretch")
            st.page_link(navigation.devices(), label="Devices", icon=":material/devices:", width="stretch")
            st.page_link(navigation.settings(), label="Settings", icon=":material/settings:", width="stretch")
        _sessions(page, open_id)
        with st.container(key=page_head.SIDEBAR_END, horizontal=True, vertical_alignment="center"):
            st.caption(f":material/smart_toy: Agent: {formats.agent(page.lulu.agent.kind).removesuffix(' agent')}")
            st.page_link(navigation.help_page(), label=":small[Help and keys]", width="content")


@st.fragment
@alerts.told
@identity.owner_only
def _inbox_link(lulu: Runtime) -> None:
    """Draw the link to the inbox with the number of open requests."""
    bell(APPROVALS, seen=lulu.store.bus.version(APPROVALS), key="inbox_count")
    waiting = len(lulu.store.approvals.find()) + len(lulu.store.folders.questions())
    count = f" :blue-badge[{waiting}]" if waiting else ""
    st.page_link(navigation.inbox(), label=f"Inbox{count}", icon=":material/inbox:", width="stretch")


@st.fragment
@alerts.told
@identity.owner_only
def _sessions(page: PageContext, open_id: str | None) -> None:
    """Draw search field, filters and rows. They are renewed when any session's row changes."""
    bell(SESSIONS, seen=page.lulu.store.bus.version(SESSIONS), key="sidebar")
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        st.text_input(
            "Search sessions",
            key=SESSION_SEARCH,
            type="search",
            live=True,
            placeholder="Search titles and prompts",
            label_visibility="collapsed",
        )
        filters.show(page.lulu)
    keyboard.listen()
    unsent.keep(page.lulu)
    navigation.follow()
    filters.show_active()
    search = typed(SESSION_SEARCH).strip()
    shown, has_more = filters.listed(page.lulu, search=search, limit=state().rows_shown)
    is_selecting = is_on(filters.SELECTING)
    if is_selecting:
        bulk_actions.show_actions(page, shown)
    with st.container(key=NEEDS_YOU, gap=None):
        session_rows.show_waiting(page.lulu.store.sessions.waiting(), open_id)
    with st.container(key=SESSION_LIST, gap=None):
        if is_selecting:
            for session in shown:
                bulk_actions.show_row(session, row_details(session))
        else:
            session_rows.show(shown, open_id, asked=filters.asked(search))
        if not shown:
            is_narrowed = search or filters.is_active()
            st.caption("Nothing matches." if is_narrowed else "No sessions yet. Type a prompt to start one.")
    if has_more:
        st.button("Show more", key="show_more", type="tertiary", width="stretch", on_click=_show_more)
    notifications.show(page.lulu, open_id)


def row_details(session: Session) -> str:
    """Return the second line of a session: status, prompts on hold, folder, age."""
    parts = (formats.on_hold(session), formats.folder(session.working_directory), formats.age(session.active_at))
    return formats.line(formats.status(session), f":gray[{formats.line(*parts)}]")


def _show_more() -> None:
    state().rows_shown += LIST_STEP
