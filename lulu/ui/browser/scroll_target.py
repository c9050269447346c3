"""Scrolls to the marked event, once for each link to one, and marks the search text in it.

The script receives a number. It reads the search text from the tab's own memory, where ``links`` left it. It marks the
text as the browser marks a selection (CSS Custom Highlight): it adds no element, and no text becomes HTML.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.browser.assets import asset

_mount = st.components.v2.component("lulu_marker", js=asset("scroll_target.js"))


def scroll_to_marked(event_id: int) -> None:
    """Scroll to the event that ``event_views`` has marked."""
    _mount(data={"event": event_id}, key="marker", height="content")
