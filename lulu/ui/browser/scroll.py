"""Where somebody reads a transcript: at its end the page follows what is written; elsewhere the place never moves.

Streamlit's own following takes a short scroll back, made in the moment when text comes, for its own and undoes it
(``useScrollToBottom``). It follows only where a chat input places itself at the bottom, so the composer does not, and
this is all that moves a session's page.
"""

from __future__ import annotations

import streamlit as st

from lulu.model.events import StoredEvent
from lulu.store import LiveText
from lulu.ui.browser.assets import asset

HTML = '<button type="button" class="lulu-new" hidden>↓ New messages</button>'

_mount = st.components.v2.component("lulu_reading", html=HTML, js=asset("scroll.js"), isolate_styles=False)


def follow(session_id: str, rows: list[StoredEvent], written: LiveText | None) -> None:
    """Keep the reader's place, or the end in view; where the end is not, say when something new stands there."""
    newest = f"{rows[-1].id if rows else 0}:{len(written.text) if written else 0}"
    keep(session_id, newest)


def keep(session_id: str, newest: str) -> None:
    """The same for any page; ``newest`` differs whenever something was added to its end."""
    _mount(key=f"reading_{session_id}", data={"session": session_id, "newest": newest}, height="content")
