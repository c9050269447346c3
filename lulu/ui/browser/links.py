"""Where links lead, and where Back comes back to: the place that is left keeps its address and how far it was read.

What was searched for goes along with a hit, for ``scroll_target``. A hit of a search is followed as a row of
the session list is: Streamlit's own link would rewrite the address of the search that is left. On a phone, what was
chosen in the sidebar closes it.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.browser.assets import asset

_mount = st.components.v2.component("lulu_links", js=asset("links.js"))


def follow() -> None:
    """Watch over links; drawn once in each run of the whole page."""
    _mount(key="links", height="content")
