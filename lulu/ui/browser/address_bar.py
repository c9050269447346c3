"""Keeps the address of the window at the session, and the event, that it shows.

Streamlit's client writes a new address when the page changes, and not when the same page gets another query: without
this, a click from session to session would leave the old one's address, and a reload would show that.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.browser.assets import asset

_mount = st.components.v2.component("lulu_address", js=asset("address_bar.js"))


def keep(session_id: str, event: str | None) -> None:
    """Say which session the window shows, and which of its events where it shows the part around one."""
    _mount(data={"id": session_id, "event": event}, key="address", height="content")
