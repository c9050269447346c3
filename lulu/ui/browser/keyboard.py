"""The keys and their meanings: one list for the components and for the Help page.

A button's key belongs to the button (``shortcut``). A script handles the other keys, and clicks the link to the same
target. Hidden buttons for them would cost time in every run of every page.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.browser.assets import asset
from lulu.ui.state import SEARCH_PAGE, picked, state
from lulu.ui.styles import NEW_SESSION, PAGES

# Letters that no browser and none of its menus uses together with Alt.
NEW = "Alt+N"
INBOX = "Alt+I"
NEXT = "Alt+J"
PREVIOUS = "Alt+K"
STOP = "Alt+Q"
APPROVE = "Alt+Y"
DENY = "Alt+X"
SEARCH = "/"

#: What each key does, in the order of the Help page.
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
#: Data for the script: the key of each link, all keys that open a page, and the link to the search.
DATA = {
    "links": {NEW: f".st-key-{NEW_SESSION} a", INBOX: f".st-key-{PAGES} a[href=inbox]"},
    "leading": [NEW, INBOX, NEXT, PREVIOUS, STOP],
    "search": SEARCH,
}

_mount = st.components.v2.component("lulu_keyboard", js=asset("keyboard.js"))


def listen() -> None:
    """Handle the keys that open a page. ``navigation.follow``, in the same fragment, opens the search."""
    _mount(key=_KEY, data=DATA, height="content", on_text_change=_search)


def _search() -> None:
    sent = picked(_KEY)
    text = sent.get("text") if isinstance(sent, dict) else None
    if isinstance(text, str) and text.strip():
        state().search_for = text.strip()
        state().leave_for = SEARCH_PAGE
