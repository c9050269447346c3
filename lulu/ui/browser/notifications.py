"""Browser notifications, and the title of the tab.

Both work in the browser. The title always has the number of waiting sessions, and a mark if the open one waits.
Notifications are off until the person turns them on in that browser. The question appears once, beside the first
session that is started.
"""

from __future__ import annotations

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.model.sessions import Session, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.text.labels import one_line
from lulu.ui.browser.assets import asset
from lulu.ui.state import state

#: Most sessions that are watched, running and ended ones.
_WATCHED = 30

#: The text of a notification, by status.
_WORDS = {
    SessionStatus.WAITING: "waits for you",
    SessionStatus.COMPLETED: "is done",
    SessionStatus.FAILED: "failed",
}

HTML = (
    '<div class="ask" hidden>'
    '<span class="words"></span> <button class="yes" type="button"></button> <button class="no" type="button"></button>'
    "</div>"
)

_mount = st.components.v2.component(
    "lulu_signals", html=HTML, css=asset("notifications.css"), js=asset("notifications.js")
)


def show(lulu: Runtime, open_id: str | None) -> None:
    """Send the status of the watched sessions to the browser. It finds the changes itself.

    Beside the first of them that is ``open_id`` it asks whether to notify.
    """
    sessions = _watched(lulu)
    told = [
        {
            "id": session.id,
            "status": session.status,
            "title": one_line(session.name),
            "words": _WORDS.get(session.known_status, "") if session.known_status else "",
        }
        for session in sessions
    ]
    waiting = sum(session.known_status is SessionStatus.WAITING for session in sessions)
    started = open_id if any(session.id == open_id for session in sessions) else None
    _mount(
        key="signals",
        data={"sessions": told, "waiting": waiting, "started": started, "open": open_id},
        height="content",
    )


def _watched(lulu: Runtime) -> list[Session]:
    """Return the live sessions, and those that this tab has seen live.

    The filters of the list do not matter, so that no end is missed.
    """
    found: dict[SessionId, Session] = {session.id: session for session in lulu.store.sessions.live()}
    for session_id in state().watched:
        if session_id not in found:
            try:
                found[session_id] = lulu.store.sessions.get(session_id)
            except SessionNotFound:
                continue
    earlier = [session_id for session_id in state().watched if session_id in found]
    state().watched = list(dict.fromkeys([*earlier, *found]))[-_WATCHED:]
    return list(found.values())


def show_switch() -> None:
    """Draw the question always, to change an earlier answer."""
    _mount(key="signals_switch", data={"always": True}, height="content")
