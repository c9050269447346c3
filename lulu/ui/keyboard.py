"""Which keys do what: one list, read by what answers to them and by the help page.

A key of a button belongs to the button (``shortcut``). The others are heard in the browser, and press the link that
leads to the same place: buttons that nobody sees would cost every run of every page.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.look import NEW_SESSION, PAGES, SESSION_SEARCH
from lulu.ui.state import SEARCH_PAGE, picked, state

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
}

_KEY = "keyboard"

#: JavaScript: whether an event is this key, ``Alt+N`` or another of that form. By the key's place and not by its
#: letter: with Alt, some keyboards write another one.
IS_KEY = """
function isKey(event, key) {
  return event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.code === "Key" + key.at(-1);
}
"""

_JS = (
    f"const FIELD = '.st-key-{SESSION_SEARCH} input', SEARCH = {SEARCH!r};"
    f"const LINKS = {{ {NEW!r}: '.st-key-{NEW_SESSION} a', {INBOX!r}: '.st-key-{PAGES} a[href=inbox]' }};"
    f"{IS_KEY}"
    r"""
let send = null;

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /INPUT|TEXTAREA|SELECT/.test(target.tagName));
}

window.addEventListener("keydown", (event) => {
  const target = event.composedPath()[0];
  const field = target instanceof Element ? target.closest(FIELD) : null;
  // A live field tells every letter and no Enter.
  if (event.key === "Enter" && !event.isComposing && field?.value.trim()) send?.(field.value.trim());
  let found = null;
  for (const [key, link] of Object.entries(LINKS)) if (isKey(event, key)) found = document.querySelector(link);
  if (found) found.click();
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === SEARCH && isPlain && !isTyping(target)) {
    found = document.querySelector(FIELD);
    found?.focus();
  }
  if (found) event.preventDefault();
}, true);

export default function ({ setTriggerValue }) {
  send = (text) => setTriggerValue("text", text);
}
"""
)

_CSS = """
.st-key-keyboard { position: absolute; width: 0; height: 0; overflow: hidden; }
"""

_mount = st.components.v2.component("lulu_keyboard", js=_JS, css=_CSS, isolate_styles=False)


def listen() -> None:
    """Hear the keys that lead about. ``places.follow``, in the same fragment, goes to the search page."""
    _mount(key=_KEY, height="content", on_text_change=_search)


def _search() -> None:
    sent = picked(_KEY)
    text = sent.get("text") if isinstance(sent, dict) else None
    if isinstance(text, str) and text.strip():
        state().search_for = text.strip()
        state().leave_for = SEARCH_PAGE
