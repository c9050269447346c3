"""Draws errors for a person: what happened, what is safe, what to do next."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from lulu.errors import Conflict, LuluError, SessionNotFound
from lulu.runtime import Runtime
from lulu.store import HEALTH
from lulu.text.labels import safe_label
from lulu.ui import formats, navigation
from lulu.ui.browser.doorbell import bell
from lulu.ui.state import Problem, state
from lulu.ui.styles import STORE_HEALTH

P = ParamSpec("P")

#: The page for a link that has ended, and for every address that is not shared. It repeats no part of the address.
ENDED = "Ask the person who sent it for a new one."
#: Characters of one sentence that are drawn.
_LIMIT = 2_000
#: Seconds after which a refusal is no longer drawn: the page may have changed much since.
_TOLD_FOR = 300


def show(error: LuluError, *, serious: bool = True) -> None:
    """Draw one error as a box of up to three sentences."""
    happened, *others = (safe_label(part, _LIMIT) for part in (error.happened, error.safe, error.next_step))
    text = "  \n".join([f"**{happened}**", " ".join(part for part in others if part)])
    if isinstance(error, Conflict):
        # Another person was faster: that is information, not a failure.
        st.info(text, icon=":material/group:")
    elif serious:
        st.error(text, icon=":material/error:")
    else:
        st.warning(text, icon=":material/info:")


def told(draw: Callable[P, None]) -> Callable[P, None]:
    """Decorate a function that draws a part of a page: draw a raised ``LuluError`` in its place."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except LuluError as exc:
            show(exc)

    return drawn


@st.fragment
@told
def show_health(lulu: Runtime) -> None:
    """Draw problems of the database and the agents, for the owner. Renewed when they change.

    It names no session and does not check the actor in the database: it is needed most while rows cannot be read.
    """
    with st.container(key=STORE_HEALTH):
        store = lulu.store
        bell(HEALTH, seen=store.bus.version(HEALTH), key="health")
        health = store.health
        if not health.ok and health.problem is not None:
            show(health.problem)
            if health.waiting:
                st.caption(f"{formats.plural(health.waiting, 'change')} not saved yet; Lulu keeps trying.")
        if lulu.host.problem is not None:
            show(lulu.host.problem)
        for notice in store.notices:
            show(notice, serious=False)


def attempt(where: str, action: Callable[[], object]) -> bool:
    """Run ``action``. Returns whether it succeeded; ``show_problem`` draws its error at ``where``."""
    state().problems.pop(where, None)
    try:
        action()
    except LuluError as exc:
        state().problems[where] = Problem(error=exc, at=time.monotonic())
        return False
    return True


def show_problem(where: str) -> None:
    """Draw the error of the last ``attempt`` at this place, unless it is old."""
    problem = state().problems.get(where)
    if problem is not None and time.monotonic() - problem.at < _TOLD_FOR:
        show(problem.error)


def show_problems(prefix: str) -> None:
    """Draw the errors of the last attempts at all places that begin with ``prefix``."""
    for where in list(state().problems):
        if where.startswith(prefix):
            show_problem(where)


def not_found() -> None:
    """Draw the page for an id that no session has. It repeats no part of the address."""
    error = SessionNotFound()
    st.title("Not found", anchor=False)
    st.markdown(f"{safe_label(error.happened)} {safe_label(error.next_step)}")
    st.page_link(navigation.home(), label="Start a new session")


def show_ended() -> None:
    """Draw the page for every address that is not shared, or no longer."""
    st.title("This link has ended", anchor=False)
    st.markdown(ENDED)
