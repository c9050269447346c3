"""A page that is opened is shown when what is in view has come: until then parts take each other's places, unseen.

Streamlit's client draws a page in many steps, and each would move what stands below it. What is not in view yet can be
focused and written in all the same. The rule that hides it is one of ``styles.css``, and ends by itself
should this script never come.
"""

from __future__ import annotations

import base64
import hashlib

import streamlit as st

from lulu.ui.browser.assets import asset

#: The end of the page's own part, which stands before the sidebar's, and the end of the sidebar's.
_DRAWN, _BESIDE = "drawn", "drawn_beside"

_JS = f"(() => {{\n{asset('first_paint.js')}}})();\n"
#: The few rules that Streamlit's theme and layout options cannot express.
STYLE = f"<style>{asset('styles.css')}</style>"
#: What stands before a page in the answer that it begins with.
HEAD = f"{STYLE}<script>{_JS}</script>"
#: The source of this one script in a Content-Security-Policy.
SCRIPT_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_JS.encode()).digest()).decode()}'"


def end_page() -> None:
    """Say that all of the page's own part stands above."""
    _end(_DRAWN)


def end_sidebar() -> None:
    """Say that all of the sidebar stands above."""
    _end(_BESIDE)


def _end(key: str) -> None:
    with st.container(key=key):
        st.empty()
