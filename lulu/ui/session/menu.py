"""The menu "More" of a session: title, pin, fork, archive, limits, downloads, delete."""

from __future__ import annotations

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.model.commands import Archive, Command, Delete, Fork, Pin, Rename, SetBudget
from lulu.model.events import System
from lulu.model.sessions import Session, SessionId, new_session_id
from lulu.runtime import Runtime
from lulu.text.labels import safe_label
from lulu.transcript.tool_results import as_json
from lulu.ui import alerts, budget_fields, navigation
from lulu.ui.content import blocks
from lulu.ui.page_context import PageContext
from lulu.ui.state import HOME, is_on, state, typed
from lulu.ui.transcript import copy_menu

#: Forks that the header links to.
_FORKS = 5


def show(page: PageContext, session: Session, *, place: str) -> None:
    """Draw the menu; ``place`` is where a refusal is shown."""
    menu = st.popover(
        "More",
        key="session_menu",
        type="tertiary",
        icon=":material/more_horiz:",
        help="Rename, pin, fork, limits, download, what it started with, archive, delete",
        on_change="rerun",
    )
    if menu.open:
        with menu:
            _show_name(page, session, place)
            _show_order(page, session, place)
            _show_limits(page, session, place)
            copy_menu.show_session(page.lulu, session.id)
            _show_start(page.lulu, session)
            _show_delete(page, session, place)


def _show_name(page: PageContext, session: Session, place: str) -> None:
    key = f"rename_{session.id}"
    st.text_input(
        "Title",
        value=session.title or "",
        key=key,
        placeholder=session.name,
        max_chars=200,
        on_change=lambda: _do(page.lulu, place, Rename(actor=page.actor, session_id=session.id, title=typed(key))),
    )


def _show_order(page: PageContext, session: Session, place: str) -> None:
    is_pinned, is_archived = session.pinned_at is not None, session.archived_at is not None
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Unpin" if is_pinned else "Pin",
            key=f"pin_{session.id}",
            icon=":material/keep_off:" if is_pinned else ":material/keep:",
            on_click=_do,
            args=(page.lulu, place, Pin(actor=page.actor, session_id=session.id, pinned=not is_pinned)),
        )
        st.button(
            "Fork",
            key=f"fork_{session.id}",
            icon=":material/fork_right:",
            help="A new session that knows everything up to here.",
            on_click=fork,
            args=(page, session.id, None, place),
        )
        st.button(
            "Unarchive" if is_archived else "Archive",
            key=f"archive_{session.id}",
            icon=":material/unarchive:" if is_archived else ":material/archive:",
            on_click=_do,
            args=(page.lulu, place, Archive(actor=page.actor, session_id=session.id, archived=not is_archived)),
        )


def _show_limits(page: PageContext, session: Session, place: str) -> None:
    cost, turns = f"max_cost_{session.id}", f"max_turns_{session.id}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        budget_fields.show_fields(cost, turns, session.max_cost_usd, session.max_turns)
        st.button(
            "Set limits",
            key=f"set_budget_{session.id}",
            on_click=lambda: _do(
                page.lulu,
                place,
                SetBudget(
                    actor=page.actor,
                    session_id=session.id,
                    max_cost_usd=budget_fields.number(cost),
                    max_turns=budget_fields.whole_number(turns),
                ),
            ),
        )
    st.caption(budget_fields.MEANING)


def _show_start(lulu: Runtime, session: Session) -> None:
    """Draw what the agent reported at its last start: tools, MCP servers, version."""
    stored = lulu.store.events.last(session.id, System.type, subtype="init")
    if stored is None or not isinstance(stored.event, System):
        return
    opened = st.expander(
        "What the agent started with",
        key=f"started_{session.id}",
        icon=":material/settings:",
        type="compact",
        on_change="rerun",
    )
    if opened.open:
        with opened:
            blocks.code(as_json(stored.event.data or {}), key=f"started_data_{session.id}", language="json", height=240)


def _show_delete(page: PageContext, session: Session, place: str) -> None:
    sure = f"delete_sure_{session.id}"
    st.toggle("Delete this session", key=sure)
    if is_on(sure):
        st.caption("Its history is removed from Lulu for good. Claude's own files and your folder stay as they are.")
        st.button(
            "Delete for good",
            key=f"delete_{session.id}",
            icon=":material/delete_forever:",
            on_click=_delete,
            args=(page, session.id, place),
        )


def _delete(page: PageContext, session_id: SessionId, place: str) -> None:
    if _is_done(page.lulu, place, Delete(actor=page.actor, session_id=session_id)):
        state().leave_for = HOME


def fork(page: PageContext, session_id: SessionId, event_id: int | None, place: str) -> None:
    """Fork the session at its end or at the turn of ``event_id``, and go to the fork."""
    new_id = new_session_id()
    command = Fork(actor=page.actor, session_id=session_id, new_session_id=new_id, event_id=event_id)
    if _is_done(page.lulu, place, command):
        state().leave_for = new_id


def _do(lulu: Runtime, place: str, command: Command) -> None:
    _is_done(lulu, place, command)


def _is_done(lulu: Runtime, place: str, command: Command) -> bool:
    return alerts.attempt(place, lambda: lulu.store.commands.submit(command))


def show_kin(lulu: Runtime, session: Session) -> None:
    """Draw links to the session that this one was forked from, and to its forks."""
    forks = lulu.store.sessions.forks_of(session.id)
    if not forks and not session.parent_session_id:
        return
    with st.container(horizontal=True, key="kin", gap="small"):
        if session.parent_session_id:
            try:
                _link(lulu.store.sessions.get(session.parent_session_id), "Forked from")
            except SessionNotFound:
                st.caption("Forked from a session that was deleted")
        for forked in forks[:_FORKS]:
            _link(forked, "Fork:")


def _link(session: Session, words: str) -> None:
    st.page_link(
        navigation.session(),
        label=f":small[{words} {safe_label(session.name, 50)}]",
        icon=":material/fork_right:",
        query_params={"id": session.id},
    )
