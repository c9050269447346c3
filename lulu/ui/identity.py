"""Who looks at this page: the one place that reads ``st.context``."""

from __future__ import annotations

import streamlit as st

from lulu.access.door import door
from lulu.access.guard import admission_of
from lulu.actors import NOBODY, Actor


def actor() -> Actor:
    """The person at this browser, as the guard let them in and as the rows say now; nobody where no guard stands in
    front of the page. Ask again in every run and every fragment: what was true a moment ago may have been revoked."""
    admission = admission_of(st.context.headers)
    if admission is None:
        return NOBODY
    ids = st.query_params.get_all("id")
    return door.actor(admission, ids[0] if ids else None)
