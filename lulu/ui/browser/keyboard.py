"""Which keys do what: one list, read by what answers to them and by the help page.

A key of a button belongs to the button (``shortcut``). The others are heard in the browser, and press the link that
leads to the same place: buttons that nobody sees would cost every run of every page.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.browser.assets import asset
from lulu.ui.state import SEARCH_PAGE, picked, state
from lulu.ui.styles import NEW_SESSION, PAGES

# Letters that no browser and no menu of one has taken together with Alt.
NEW = "Alt+N"
INBOX = "Alt+I"
NEXT = "Alt+J"
PREVIOUS = "Alt+K"
STOP = "Alt+Q"
APPROVE = "Alt+Y"
DENY = "Alt+X"
SEARCH = "/"

#: What each does, in the order in which the help page tells it.
MEANINGS: dict[str, str] = {
    NEW: "New session",
    SEARCH: "Search sessions",
    INBOX: "Inbox",
    NEXT: "Next session of the list",
    PREVIOUS: "Previous session of the list",
    STOP: "Stop the session that is shown",
    APPROVE: "Approve the first request in view",
    DENY: "Deny the first request in view",
    "Enter": "Send the prompt; Shift+Enter begins a new line",
    "Escape": "Leave the prompt box. The other keys do nothing in a field that holds a text",
}

_KEY = "keyboard"
#: For the script: which keys press which links, all that lead anywhere, and the one that leads to the search.
DATA = {
    "links": {NEW: f".st-key-{NEW_SESSION} a", INBOX: f".st-key-{PAGES} a[href=inbox]"},
    "leading": [NEW, INBOX, NEXT, PREVIOUS, STOP],
    "search": SEARCH,
}

_mount = st.components.v2.component("lulu_keyboard", js=asset("keyboard.js"))


def listen() -> None:
    """Hear the keys that lead about. ``places.follow``, in the same fragment, goes to the search page."""
    _mount(key=_KEY, data=DATA, height="content", on_text_change=_search)


def _search() -> None:
    sent = picked(_KEY)
    text = sent.get("text") if isinstance(sent, dict) else None
    if isinstance(text, str) and text.strip():
        state().search_for = text.strip()
        state().leave_for = SEARCH_PAGE
