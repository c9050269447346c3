"""Sessions that a restart of Lulu interrupted. Home and inbox list them until they are continued."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import streamlit as st

from lulu.errors import Conflict
from lulu.model.commands import SendPrompt
from lulu.model.sessions import Session, SessionId
from lulu.runtime import Runtime
from lulu.store import SESSIONS
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, identity, navigation
from lulu.ui.approvals import decide
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext

#: The prompt of "Continue". An agent whose request expired asks again.
CONTINUE = "Continue where you were interrupted."
#: How long ago the restart may be.
NEWS = timedelta(days=7)
#: Sessions that are listed by name.
_MOST = 20
_PLACE = f"{decide.PLACE}continue_all"


@st.fragment
@alerts.told
@identity.owner_only
def show_live(page: PageContext, *, show_more: Callable[[Session], bool]) -> None:
    """Draw the group as a fragment of its own, renewed when any session changes."""
    bell(SESSIONS, seen=page.lulu.store.bus.version(SESSIONS), key="interruptions")
    show(page, show_more=show_more)


def show(page: PageContext, *, show_more: Callable[[Session], bool] | None = None) -> None:
    """Draw the interrupted sessions; draws no group if there are none.

    ``show_more`` draws the expired requests of a session together with the button "Continue". It returns whether there
    were any; if not, the button is drawn here.
    """
    alerts.show_problem(_PLACE)
    found = cut_off(page.lulu)
    if not found:
        return
    with st.container(key="cut_off", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(f"Interrupted by the restart ({len(found)})", anchor=False, width="stretch")
            _show_continue_all(page, found)
        for session in found[:_MOST]:
            _show_one(page, session, show_more)
        if len(found) > _MOST:
            st.caption(f"And {formats.plural(len(found) - _MOST, 'more session')}: see the list.")


def cut_off(lulu: Runtime) -> list[Session]:
    """Return the sessions that a restart interrupted and that have not been continued."""
    return lulu.store.sessions.cut_off(datetime.now(UTC) - NEWS)


def _show_continue_all(page: PageContext, found: list[Session]) -> None:
    if len(found) < 2:
        return
    with st.popover("Continue all", key="continue_all", icon=":material/play_arrow:"):
        st.markdown(f"Send “{CONTINUE}” to {formats.plural(len(found), 'session')}?")
        st.caption("What is queued in them follows. As many run at once as the settings allow; the others wait.")
        st.button(
            f"Continue {len(found)} sessions",
            key="continue_all_sure",
            type="primary",
            on_click=_go_on_all,
            args=(page, [session.id for session in found]),
        )


def _show_one(page: PageContext, session: Session, show_more: Callable[[Session], bool] | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"cut_off_{session.id}"):
        with st.container(gap=None):
            st.page_link(navigation.session(), label=f"**{safe_label(session.name)}**", query_params={"id": session.id})
            parts = (
                formats.on_hold(session),
                formats.folder(session.working_directory),
                formats.age(session.active_at),
            )
            st.caption(formats.line(formats.status(session), f":gray[{formats.line(*parts)}]"))
        place = st.container(width="content")
    if show_more is None or not show_more(session):
        with place:
            button(page, session)
    alerts.show_problem(decide.place(session.id))


def button(page: PageContext, session: Session, *, is_main: bool = True) -> None:
    """Draw "Continue". It is not the primary button if another one beside it is."""
    st.button(
        "Continue",
        key=f"continue_{session.id}",
        type="primary" if is_main else "secondary",
        icon=":material/play_arrow:",
        on_click=_go_on,
        args=(page, session.id),
    )


def _go_on(page: PageContext, session_id: SessionId) -> None:
    alerts.attempt(decide.place(session_id), lambda: _send(page, session_id))


def go_on_with(page: PageContext, session_id: SessionId, answers: str) -> None:
    """Continue with answers to the expired questions: each question with its answer below it."""
    text = f"{CONTINUE} My answer to what you had asked:\n\n{answers}"
    alerts.attempt(decide.place(session_id), lambda: _send(page, session_id, text))


def _go_on_all(page: PageContext, asked_for: Iterable[SessionId]) -> None:
    """Continue those of the sessions that are still interrupted, each exactly once."""
    still = {session.id for session in cut_off(page.lulu)}

    def send_all() -> None:
        for session_id in asked_for:
            if session_id in still:
                _send(page, session_id)

    alerts.attempt(_PLACE, send_all)


def _send(page: PageContext, session_id: SessionId, text: str = CONTINUE) -> None:
    """Submit the prompt. Raises ``Conflict`` if the session runs or has a prompt in its queue."""
    is_sent = any(not queued.is_held for queued in page.lulu.store.commands.queued_prompts(session_id))
    if is_sent or page.lulu.store.sessions.get(session_id).is_live:
        raise Conflict("This session goes on already.", safe="Nothing was sent twice.")
    page.lulu.store.commands.submit(SendPrompt(actor=page.actor, session_id=session_id, text=text))
