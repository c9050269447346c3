"""The header of a session: title, status and figures, and the buttons Turns, Share, Stop and More."""

from __future__ import annotations

import streamlit as st

from lulu.model.commands import Interrupt
from lulu.model.sessions import Session, SessionId
from lulu.model.validation import BYPASS
from lulu.store import row_topic
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, navigation
from lulu.ui.browser import keyboard
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext
from lulu.ui.session import menu, turn_list
from lulu.ui.session.view import SessionView, viewer_only
from lulu.ui.sharing import share
from lulu.ui.styles import SESSION_HEADER, STOP

#: Characters of a title that fit into a wide window. In a narrow one the browser cuts it.
_NAME_LIMIT = 120


@st.fragment
@alerts.told
@viewer_only
def show(view: SessionView) -> None:
    """Draw the header. It is renewed when the session's row changes."""
    topic = row_topic(view.session_id)
    bell(topic, seen=view.source.version(topic), key=f"header_{view.session_id}")
    session = view.source.session()
    if view.page is not None:
        _show_with_actions(view.page, session)
        return
    with st.container(key=SESSION_HEADER, gap=None):
        _show_name(session, "shared with you, read-only")


def _show_with_actions(page: PageContext, session: Session) -> None:
    navigation.follow()
    with st.container(key=SESSION_HEADER):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            with st.container(gap=None):
                _show_name(session)
            turn_list.show(page.lulu, session)
            share.button(page, session.id)
            if session.is_live:
                stop_button(page, session.id, key=STOP, shortcut=keyboard.STOP)
            menu.show(page, session, place=_where(session.id))
        menu.show_kin(page.lulu, session)
        alerts.show_problem(_where(session.id))


def _show_name(session: Session, note: str = "") -> None:
    st.markdown(f"# {safe_label(full_name(session), _NAME_LIMIT)}", anchors=False)
    st.caption(details(session, note))


def full_name(session: Session) -> str:
    """Return the title, else the whole prompt: the header has more space than a list."""
    return session.name if session.title and session.title.strip() else session.prompt


def details(session: Session, note: str = "") -> str:
    """Return the second line: status, ``note``, agent, model, figures, and the folder at the end."""
    return formats.line(
        formats.status(session),
        f":orange[{held}]" if (held := formats.on_hold(session)) else "",
        note,
        ":red-badge[bypasses permissions]" if session.permission_mode == BYPASS else "",
        ":gray[archived]" if session.archived_at else "",
        formats.agent(session.agent),
        safe_label(session.model) if session.model and session.model != session.agent else "",
        formats.plural(session.num_turns, "step") if session.num_turns else "",
        formats.money(session.cost_usd) if session.cost_usd is not None else "",
        formats.took(session.duration_ms - (session.waited_ms or 0), session.waited_ms) if session.duration_ms else "",
        f"created {formats.clock(session.created_at)}",
        formats.code(session.working_directory) if session.working_directory else "",
    )


def stop_button(
    page: PageContext, session_id: SessionId, *, key: str, shortcut: str | None = None, is_quiet: bool = False
) -> None:
    """Draw the button that interrupts the turn and keeps the session.

    ``is_quiet`` draws it without a border, beside buttons that matter more.
    """
    st.button(
        "Stop",
        key=key,
        icon=":material/stop_circle:",
        type="tertiary" if is_quiet else "secondary",
        shortcut=shortcut,
        help="Interrupt this turn. The session stays and can go on.",
        on_click=_stop,
        args=(page, session_id),
    )


def _stop(page: PageContext, session_id: SessionId) -> None:
    command = Interrupt(actor=page.actor, session_id=session_id)
    alerts.attempt(_where(session_id), lambda: page.lulu.store.commands.submit(command))


def show_refusal(session_id: SessionId) -> None:
    """Draw why the last click on this session's buttons was refused."""
    alerts.show_problem(_where(session_id))


def _where(session_id: SessionId) -> str:
    return f"header_{session_id}"
