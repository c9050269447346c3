"""Who looks at this page: the one place that reads ``st.context``."""

from __future__ import annotations

import streamlit as st

from lulu.access.guard import admission_of
from lulu.actors import NOBODY, Actor, Role


def actor() -> Actor:
    """The person at this browser, as the guard let them in; nobody where no guard stands in front of the page."""
    admission = admission_of(st.context.headers)
    if admission is None or admission.role is not Role.OWNER:
        return NOBODY
    return Actor(role=Role.OWNER, name="this computer", access_id=admission.access_id)
