"""What went wrong, drawn for a person: what happened, what is safe, what to do."""

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

#: Characters of one sentence that are shown.
_LIMIT = 2_000
#: Seconds after which a refusal is no news: the page may have changed much since.
_TOLD_FOR = 300


def show(error: LuluError, *, serious: bool = True) -> None:
    """Draw one error as a box of up to three sentences."""
    happened, *others = (safe_label(part, _LIMIT) for part in (error.happened, error.safe, error.next_step))
    text = "  \n".join([f"**{happened}**", " ".join(part for part in others if part)])
    if isinstance(error, Conflict):
        # Somebody else was first: news, and nobody's fault.
        st.info(text, icon=":material/group:")
    elif serious:
        st.error(text, icon=":material/error:")
    else:
        st.warning(text, icon=":material/info:")


def told(draw: Callable[P, None]) -> Callable[P, None]:
    """Decorate what draws a part of a page: a ``LuluError`` is drawn in its place, and the rest of the page stands."""

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
    """Draw what the owner has to know about the database and the agents; renewed when their health changes.

    It tells of no session, and asks no row who looks: it must be told, above all, while rows cannot be read.
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
    """Do what a person asked for; what is refused is told at ``where`` by ``show_problem``. Whether it was done."""
    state().problems.pop(where, None)
    try:
        action()
    except LuluError as exc:
        state().problems[where] = Problem(error=exc, at=time.monotonic())
        return False
    return True


def show_problem(where: str) -> None:
    """Draw what the last ``attempt`` at this place ran into, unless that is long ago."""
    problem = state().problems.get(where)
    if problem is not None and time.monotonic() - problem.at < _TOLD_FOR:
        show(problem.error)


def show_problems(prefix: str) -> None:
    """Draw what the last attempts at all places that begin with ``prefix`` ran into."""
    for where in list(state().problems):
        if where.startswith(prefix):
            show_problem(where)


def not_found() -> None:
    """The page for every address that no session has; the same for all, and it repeats nothing of the address."""
    error = SessionNotFound()
    st.title("Not found", anchor=False)
    st.markdown(f"{safe_label(error.happened)} {safe_label(error.next_step)}")
    st.page_link(navigation.home(), label="Start a new session")
