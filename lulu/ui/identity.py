"""Who looks at this page: the one place that reads ``st.context``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from lulu.access.authentication import door
from lulu.access.guard import admission_of
from lulu.model.actors import NOBODY, Actor

P = ParamSpec("P")


def actor() -> Actor:
    """The person at this browser, as the guard let them in and as the rows say now; nobody where no guard stands in
    front of the page. Ask again in every run and every fragment: what was true a moment ago may have been revoked."""
    admission = admission_of(st.context.headers)
    if admission is None:
        return NOBODY
    ids = st.query_params.get_all("id")
    return door.actor(admission, ids[0] if ids else None)


def owner_only(draw: Callable[P, None]) -> Callable[P, None]:
    """Decorate what draws a part of an owner's page. Raises ``Forbidden`` for everybody else, in every run: a fragment
    keeps its arguments, and the device may have been removed since."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        actor().require_owner()
        draw(*args, **kwargs)

    return drawn
