"""The rows of the session list and of the group above it: one component draws all rows of each.

Fifty of Streamlit's own links cost the server and the browser more than a transcript does, at every run of a page. A
click changes the address and sends ``popstate``, as Back and Forward do. Streamlit's client follows without a reload.

While the pointer or the focus is inside the list, rows keep their places and only their text changes. The new order is
drawn as soon as both are outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

import streamlit as st

from lulu.model.sessions import Session
from lulu.text.labels import one_line
from lulu.ui import formats
from lulu.ui.browser import keyboard
from lulu.ui.browser.assets import asset

#: Rows of the group above the list; the inbox has the other waiting sessions.
MOST_WAITING = 10

HTML = (
    '<div class="box"><p class="heading" role="heading" aria-level="2" hidden></p><ul></ul></div>'
    '<template><li><a><span class="title"><span class="pin" aria-hidden="true" hidden>keep</span>'
    '<span class="name" hidden>Pinned:</span> <span class="text"></span></span>'
    '<span class="details"><span class="status"></span><span class="more"></span></span></a></li></template>'
)

_CSS, _JS = asset("session_rows.css"), asset("session_rows.js")
_mount = st.components.v2.component("lulu_session_list", html=HTML, css=_CSS, js=_JS)
_mount_waiting = st.components.v2.component("lulu_needs_you", html=HTML, css=_CSS, js=_JS)


def show(sessions: Iterable[Session], open_id: str | None, *, asked: str) -> None:
    """Draw a link to each session. The one with ``open_id`` is marked; ``asked`` is ``filters.asked``."""
    data = {
        "kind": "all",
        "rows": [_row(session) for session in sessions],
        "open": open_id,
        "asked": asked,
        "next": keyboard.NEXT,
        "previous": keyboard.PREVIOUS,
    }
    _mount(key="session_rows", data=data, height="content")


def show_waiting(sessions: Sequence[Session], open_id: str | None) -> None:
    """Draw a link to each waiting session, below a heading with their number. Draws no heading for none.

    The list below has these sessions, too, each in its usual place.
    """
    more = len(sessions) - MOST_WAITING
    data = {
        "kind": "waiting",
        "rows": [_row(session) for session in sessions[:MOST_WAITING]],
        "open": open_id,
        "asked": "",
        "heading": f"Needs you ({len(sessions)})" if sessions else "",
        "rest": f"{more} more in the inbox" if more > 0 else "",
    }
    _mount_waiting(key="waiting_rows", data=data, height="content")


def _row(session: Session) -> dict[str, object]:
    title = one_line(session.name)
    return {
        "id": session.id,
        "title": title,
        "hint": f"{title}\nCreated {formats.clock(session.created_at)}",
        "pinned": session.pinned_at is not None,
        "status": one_line(session.status) or "no status",
        "colour": formats.colour(session),
        "more": formats.line(
            formats.on_hold(session), _folder(session.working_directory), formats.age(session.active_at)
        ),
    }


def _folder(path: str | None) -> str:
    return one_line(PurePath(path).name or path) if path else ""
