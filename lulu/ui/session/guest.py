"""The page of a guest and the owner's preview of it: one session, live, read-only and redacted.

It is the owner's page with a source that redacts, and without actions.
"""

from __future__ import annotations

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.text.labels import one_line
from lulu.ui import alerts
from lulu.ui.session import feed, header
from lulu.ui.session.view import SessionView


@alerts.told
def show(view: SessionView) -> None:
    """Draw the page."""
    try:
        session = view.source.session()
    except SessionNotFound:
        alerts.show_ended()
        return
    st.set_page_config(page_title=one_line(session.name))
    header.show(view)
    feed.show(view, session)
