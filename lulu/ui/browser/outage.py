"""Says in a bar that Lulu cannot be reached, or does not answer, and what that means."""

from __future__ import annotations

import streamlit as st

from lulu.ui.browser.assets import asset

_mount = st.components.v2.component("lulu_outage", js=asset("outage.js"))


def watch(*, is_owner: bool) -> None:
    """Draw the bar where it is needed; called once in each run of the whole page."""
    _mount(key="outage", data={"who": "owner" if is_owner else "guest"}, height="content")
