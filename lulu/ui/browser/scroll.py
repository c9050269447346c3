"""Scrolls a transcript: at its end the page follows new text, elsewhere the position never moves.

Streamlit's own scrolling takes a short scroll back, made while text arrives, for its own and undoes it
(``useScrollToBottom``). It is active only if a chat input places itself at the bottom. The composer does not, so only
this module scrolls a session's page.
"""

from __future__ import annotations

import streamlit as st

from lulu.model.events import StoredEvent
from lulu.store import LiveText
from lulu.ui.browser.assets import asset

HTML = '<button type="button" class="lulu-new" hidden>↓ New messages</button>'

_mount = st.components.v2.component("lulu_reading", html=HTML, js=asset("scroll.js"), isolate_styles=False)


def follow(session_id: str, rows: list[StoredEvent], written: LiveText | None) -> None:
    """Keep the reader's position, or the end in view. Elsewhere than at the end, announce new text."""
    newest = f"{rows[-1].id if rows else 0}:{len(written.text) if written else 0}"
    keep(session_id, newest)


def keep(session_id: str, newest: str) -> None:
    """Do the same for any page; ``newest`` differs after each addition to its end."""
    _mount(key=f"reading_{session_id}", data={"session": session_id, "newest": newest}, height="content")
