"""Keeps the window's address at the session and the event on the page.

Streamlit's client writes a new address when the page changes, but not when the same page gets another query. Without
this, a click from session to session would leave the old address, and a reload would show that session.
"""

from __future__ import annotations

import streamlit as st

from lulu.ui.browser.assets import asset

_mount = st.components.v2.component("lulu_address", js=asset("address_bar.js"))


def keep(session_id: str, event: str | None) -> None:
    """Set the address to this session, and to the event if the page shows the part around one."""
    _mount(data={"id": session_id, "event": event}, key="address", height="content")
