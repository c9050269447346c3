"""Which keys do what: one list, read by what answers to them and by the help page.

A key of a button belongs to the button (``shortcut``). The others are heard in the browser, and press the link that
leads to the same place: buttons that nobody sees would cost every run of every page.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.state import SEARCH_PAGE, picked, state
from lulu.ui.styles import NEW_SESSION, PAGES, PROMPT, SESSION_SEARCH

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

#: JavaScript, for every component that hears keys. ``fieldOf``: the field that an event writes in. ``isKey``: whether
#: an event is this key, ``Alt+N`` or another of that form, and leads somewhere: by its letter, or by its place where
#: a keyboard writes another one with Alt. In a field that holds a text, and where the key writes a character or is
#: part of a conversion, it is none: it belongs to what is being written.
IS_KEY = """
const NOT_WRITTEN_IN = ["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"];
function fieldOf(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return null;
  const isField = target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)
    || (target.tagName === "INPUT" && !NOT_WRITTEN_IN.includes(target.type));
  return isField ? target : null;
}
const isConverting = (event) => event.isComposing || event.keyCode === 229;
const isThirdLevel = (event) => event.getModifierState?.("AltGraph") ?? false;
function isKey(event, key) {
  const isChord = event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!isChord || isConverting(event) || isThirdLevel(event)) return false;
  const isLetter = /^[a-z]$/i.test(event.key);
  if (isLetter ? event.key.toUpperCase() !== key.at(-1) : event.code !== "Key" + key.at(-1)) return false;
  const field = fieldOf(event);
  return field === null || (isLetter && field.tagName !== "SELECT" && !(field.value ?? field.textContent));
}
"""

_JS = (
    f"const FIELD = '.st-key-{SESSION_SEARCH} input', PROMPT = '.st-key-{PROMPT}', SEARCH = {SEARCH!r};"
    f"const LEADING = {[NEW, INBOX, NEXT, PREVIOUS, STOP]!r};"
    f"const LINKS = {{ {NEW!r}: '.st-key-{NEW_SESSION} a', {INBOX!r}: '.st-key-{PAGES} a[href=inbox]' }};"
    f"{IS_KEY}"
    r"""
let send = null;

// What is pressed while somebody writes is for the field alone: a conversion's Enter sends nothing, and a letter that a
// keyboard writes with Alt presses no button. Streamlit hears a key after the window does, and is not told of these.
function isWritten(event) {
  if (fieldOf(event) === null) return false;
  if (isConverting(event)) return true;
  const mayWrite = event.key?.length === 1 || /^(Dead|Process|Unidentified)$/.test(event.key);
  return mayWrite && (event.altKey || isThirdLevel(event)) && !LEADING.some((key) => isKey(event, key));
}

window.addEventListener("keydown", (event) => {
  const field = fieldOf(event);
  let target = null;
  for (const [key, link] of Object.entries(LINKS)) if (isKey(event, key)) target = document.querySelector(link);
  if (target === null && isWritten(event)) {
    event.stopImmediatePropagation();
    return;
  }
  target?.click();
  // A live field tells every letter and no Enter.
  if (event.key === "Enter" && field?.closest(FIELD) && field.value.trim()) send?.(field.value.trim());
  // Out of the box, so that the keys lead about again.
  if (event.key === "Escape" && field?.closest(PROMPT)) field.blur();
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === SEARCH && isPlain && field === null) {
    target = document.querySelector(FIELD);
    target?.focus();
  }
  if (target) event.preventDefault();
}, true);

export default function ({ setTriggerValue }) {
  send = (text) => setTriggerValue("text", text);
}
"""
)

_mount = st.components.v2.component("lulu_keyboard", js=_JS)


def listen() -> None:
    """Hear the keys that lead about. ``places.follow``, in the same fragment, goes to the search page."""
    _mount(key=_KEY, height="content", on_text_change=_search)


def _search() -> None:
    sent = picked(_KEY)
    text = sent.get("text") if isinstance(sent, dict) else None
    if isinstance(text, str) and text.strip():
        state().search_for = text.strip()
        state().leave_for = SEARCH_PAGE
