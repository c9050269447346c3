"""Widget keys that tests rely on, and the few CSS rules that Streamlit's theme and layout options cannot express.

Only constants: no text of an agent, a tool or a person ever comes near this module.
"""

from __future__ import annotations

import streamlit as st

# Streamlit turns a key into the CSS class ``st-key-<key>``.
PROMPT = "prompt"
NEW_SESSION = "new_session"
SESSION_LIST = "session_list"
SESSION_SEARCH = "session_search"
TRANSCRIPT = "transcript"
LIVE_TEXT = "live_text"
SESSION_HEADER = "session_header"
STOP = "stop"
LOAD_EARLIER = "load_earlier"
CWD = "cwd"
MODEL = "model"
PERMISSION_MODE = "permission_mode"
# Lulu's own.
TITLE = "title"
COMPOSER = "composer"
OPEN_ROW = "open_row"
PAGES = "pages"
EXAMPLES = "examples"
CARDS = "cards"

CSS = """
"""


def apply() -> None:
    """Put the rules on the page."""
    st.html(f"<style>{CSS}</style>")
