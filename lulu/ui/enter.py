"""Enter in the sidebar's search field: from the titles that it narrows to the whole of every session."""

from __future__ import annotations

import streamlit as st

from lulu.ui.look import SESSION_SEARCH
from lulu.ui.state import SEARCH_PAGE, picked, state

_KEY = "search_enter"

# A live field tells every letter and no Enter.
_JS = (
    f"const FIELD = '.st-key-{SESSION_SEARCH} input';"
    r"""
let send = null;
window.addEventListener("keydown", (event) => {
  const field = event.target instanceof Element ? event.target.closest(FIELD) : null;
  if (event.key === "Enter" && !event.isComposing && field?.value.trim()) send?.(field.value.trim());
}, true);

export default function ({ setTriggerValue }) {
  send = (text) => setTriggerValue("text", text);
}
"""
)

_CSS = """
.st-key-search_enter { position: absolute; width: 0; height: 0; overflow: hidden; }
"""

_mount = st.components.v2.component("lulu_search_enter", js=_JS, css=_CSS, isolate_styles=False)


def leads_to_search() -> None:
    """Take Enter in the field beside this; ``places.follow``, in the same fragment, goes to the search page."""
    _mount(key=_KEY, height="content", on_text_change=_leave)


def _leave() -> None:
    sent = picked(_KEY)
    text = sent.get("text") if isinstance(sent, dict) else None
    if isinstance(text, str) and text.strip():
        state().search_for = text.strip()
        state().leave_for = SEARCH_PAGE
