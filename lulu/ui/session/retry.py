"""After a failed turn: send its prompt again, or put it back into the box if a hook refused it."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from lulu.model.commands import SendPrompt
from lulu.model.events import PROMPT_REFUSED, Error, StoredEvent, User
from lulu.model.sessions import Session, SessionStatus
from lulu.runtime import Runtime
from lulu.ui import alerts
from lulu.ui.page_context import PageContext
from lulu.ui.state import state

#: Seconds in which a refused prompt is put back automatically. After that the person may have typed another one.
_FRESH = 10.0


def show(page: PageContext, session: Session) -> None:
    """Draw the button below a failed turn, unless another prompt is already waiting."""
    prompt, is_refused = _failed(page.lulu, session)
    if prompt is None or page.lulu.store.commands.queued_prompts(session.id):
        return
    if is_refused:
        if st.button("Change the prompt", key="change_prompt", icon=":material/edit:", on_click=_type, args=(prompt,)):
            # Only a full run fills the prompt box.
            st.rerun()
    else:
        st.button(
            "Try again",
            key="try_again",
            icon=":material/refresh:",
            help="Sends the last prompt once more, with its files.",
            on_click=_send,
            args=(page, session, prompt),
        )
    alerts.show_problem(_place(session))


def put_back_refused(lulu: Runtime, session: Session) -> None:
    """Put a prompt that a hook has just refused back into the box, once. For full runs only."""
    prompt, is_refused = _failed(lulu, session)
    if prompt is None or not is_refused or prompt.id == state().put_back_prompt:
        return
    if (datetime.now(UTC) - prompt.created_at).total_seconds() < _FRESH:
        state().put_back_prompt = prompt.id
        _type(prompt)


def _failed(lulu: Runtime, session: Session) -> tuple[StoredEvent | None, bool]:
    """Return the prompt of the last turn if it failed, and whether a hook refused it; else None."""
    if session.known_status is not SessionStatus.FAILED:
        return None, False
    prompt = lulu.store.events.last(session.id, User.type)
    error = lulu.store.events.last(session.id, Error.type)
    if prompt is None or error is None or error.id < prompt.id:
        return prompt, False
    return prompt, isinstance(error.event, Error) and error.event.code == PROMPT_REFUSED


def _type(prompt: StoredEvent) -> None:
    if isinstance(prompt.event, User):
        state().to_type = prompt.event.text


def _send(page: PageContext, session: Session, prompt: StoredEvent) -> None:
    if isinstance(prompt.event, User):
        ids = [number for number in prompt.event.attachments or [] if isinstance(number, int)]
        command = SendPrompt(
            actor=page.actor,
            session_id=session.id,
            text=prompt.event.text,
            attachments=page.lulu.store.commands.attachments(ids),
        )
        alerts.attempt(_place(session), lambda: page.lulu.store.commands.submit(command))


def _place(session: Session) -> str:
    return f"again_{session.id}"
