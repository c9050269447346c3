"""Style sheet and scripts in the first answer of every page; they need no data of a run.

``first_paint.js`` shows a page when the part in view is drawn: Streamlit's client draws in many steps, and each would
move the elements below it. A rule of ``styles.css`` hides the page until then, and ends by itself if the script fails.
``links.js`` keeps addresses and scroll positions. ``outage.js`` says in a bar that the server cannot be reached.
"""

from __future__ import annotations

import base64
import hashlib

import streamlit as st

from lulu.ui.browser.assets import asset

#: Key of an element after the last one of a page without a sidebar; ``first_paint.js`` waits for it.
_DRAWN = "drawn"
#: Key of the sidebar's last container; ``first_paint.js`` waits for a link in it.
SIDEBAR_END = "sidebar_end"

_JS = "".join(f"(() => {{\n{asset(name)}}})();\n" for name in ("first_paint.js", "links.js", "outage.js"))
#: The few rules that Streamlit's theme and layout options cannot express.
STYLE = f"<style>{asset('styles.css')}</style>"
#: HTML at the beginning of a page's first answer.
HEAD = f"{STYLE}<script>{_JS}</script>"
#: Source of this one script for a Content-Security-Policy.
SCRIPT_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_JS.encode()).digest()).decode()}'"


def end_page() -> None:
    """Mark the end of a page without a sidebar. Beside a sidebar, the sidebar's first container marks it."""
    with st.container(key=_DRAWN):
        st.empty()
