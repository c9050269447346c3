"""Brings the marked event into view, once for each link that leads to one, and marks in it what was searched for.

The script is told a number. What was searched for it reads from the tab's own memory, where ``links`` left
it, and marks it as the browser marks a selection (CSS Custom Highlight): no element is added, and nothing is HTML.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.browser.assets import asset

_mount = st.components.v2.component("lulu_marker", js=asset("scroll_target.js"))


def scroll_to_marked(event_id: int) -> None:
    """Scroll to what ``render`` has marked."""
    _mount(data={"event": event_id}, key="marker", height="content")
