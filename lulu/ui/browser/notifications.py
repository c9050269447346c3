"""What reaches a person who does not look: a browser notification, and the tab's title.

Both live in the browser. The title always says how many sessions wait, and marks the one that is shown. Notifications
are off until somebody turns them on there; that is asked once, beside the first session that was started, and kept in
that browser only.
"""

from __future__ import annotations

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.model.sessions import Session, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.text.labels import one_line
from lulu.ui.browser.assets import asset
from lulu.ui.state import state

#: Sessions that are told of, those at work and those that were.
_WATCHED = 30

#: How a change is told, for each status that somebody wants to hear of.
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
    """Tell the browser how the sessions stand that work or did; it notices by itself what has changed.

    Beside the first of them that is ``open_id`` it asks whether it shall tell.
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
    """What works now, and what this tab has seen at work: a filter of the list must not keep the end from anybody."""
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
