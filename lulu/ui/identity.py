"""Identifies the actor of this page. The only module that reads ``st.context``."""

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
    """Return the actor of this browser, or ``NOBODY`` if the request did not pass the guard.

    The rows are read again, so call it in every run and every fragment: the access may have been revoked since.
    """
    admission = admission_of(st.context.headers)
    if admission is None:
        return NOBODY
    ids = st.query_params.get_all("id")
    return door.actor(admission, ids[0] if ids else None)


def owner_only(draw: Callable[P, None]) -> Callable[P, None]:
    """Decorate a function that draws a part of an owner's page. Raises ``Forbidden`` for other actors.

    It checks in every run: a fragment keeps its arguments, and the device may have been removed since.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        actor().require_owner()
        draw(*args, **kwargs)

    return drawn
