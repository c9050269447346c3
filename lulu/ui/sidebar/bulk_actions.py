"""Pin, archive or delete several sessions of the list together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from lulu.errors import Conflict, LuluError
from lulu.model.commands import Archive, Command, Delete, Pin
from lulu.model.sessions import Session
from lulu.runtime import Runtime
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats
from lulu.ui.page_context import PageContext
from lulu.ui.state import is_on, switch_off

_SURE = "delete_selected_sure"
_PLACE = "selection"

Make = Callable[[Session], Command]


def show_row(session: Session, details: str) -> None:
    """Draw a session with a checkbox."""
    st.checkbox(f"{safe_label(session.name, 40)} :small[{details}]", key=_key(session))


def show_actions(page: PageContext, shown: Iterable[Session]) -> None:
    """Draw the buttons for the sessions that are ticked."""
    ticked = [session for session in shown if is_on(_key(session))]
    alerts.show_problem(_PLACE)
    st.caption(f"{formats.plural(len(ticked), 'session')} selected")
    actions: dict[str, Make] = {
        "Pin": lambda session: Pin(actor=page.actor, session_id=session.id, pinned=True),
        "Unpin": lambda session: Pin(actor=page.actor, session_id=session.id, pinned=False),
        "Archive": lambda session: Archive(actor=page.actor, session_id=session.id, archived=True),
        "Unarchive": lambda session: Archive(actor=page.actor, session_id=session.id, archived=False),
    }
    with st.container(horizontal=True, gap="small", key="selection"):
        for name, make in actions.items():
            st.button(
                name, key=f"selected_{name.lower()}", disabled=not ticked, on_click=_do, args=(page.lulu, ticked, make)
            )
        st.toggle("Delete", key=_SURE, disabled=not ticked)
        if is_on(_SURE) and ticked:
            st.button(
                f"Delete {len(ticked)} for good",
                key="selected_delete",
                icon=":material/delete_forever:",
                on_click=_do,
                args=(page.lulu, ticked, lambda session: Delete(actor=page.actor, session_id=session.id)),
            )


def _do(lulu: Runtime, ticked: list[Session], make: Make) -> None:
    alerts.attempt(_PLACE, lambda: _submit_all(lulu, [make(session) for session in ticked]))
    switch_off([_SURE, *(_key(session) for session in ticked)])


def _submit_all(lulu: Runtime, commands: list[Command]) -> None:
    """Submit each command on its own, also after one was refused.

    Raises ``Conflict`` with the first refusal and the number of refused commands.
    """
    refused: list[LuluError] = []
    for command in commands:
        try:
            lulu.store.commands.submit(command)
        except LuluError as exc:
            refused.append(exc)
    if refused:
        first = refused[0]
        raise Conflict(
            f"{len(commands) - len(refused)} done, {len(refused)} not: {first.happened}", next_step=first.next_step
        )


def _key(session: Session) -> str:
    return f"pick_{session.id}"
