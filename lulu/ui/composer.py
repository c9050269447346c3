"""The input at the bottom of a session, which continues the same conversation."""

from __future__ import annotations

import streamlit as st

from lulu.actors import Actor
from lulu.commands import SendPrompt
from lulu.runtime import Runtime
from lulu.sessions import Session, SessionId
from lulu.ui import notices, wording
from lulu.ui.look import COMPOSER, PROMPT
from lulu.ui.state import put_back, typed
from lulu.ui.text import safe_label


def show(lulu: Runtime, actor: Actor, session: Session) -> None:
    """Draw the input, what was refused, and under it how the next prompt will be run."""
    with st.bottom:
        notices.show_problem(PROMPT)
    # Not inside ``st.bottom``: only an input that places itself there makes the page follow its end.
    st.chat_input("Continue the conversation", key=PROMPT, on_submit=_send, args=(lulu, actor, session.id))
    with st.bottom, st.container(key=COMPOSER):
        st.caption(
            wording.line(
                wording.mode(session.permission_mode),
                safe_label(session.model or ""),
                wording.code(session.working_directory) if session.working_directory else "",
            )
        )


def _send(lulu: Runtime, actor: Actor, session_id: SessionId) -> None:
    text = typed(PROMPT)
    command = SendPrompt(actor=actor, session_id=session_id, text=text)
    if not notices.attempt(PROMPT, lambda: lulu.store.submit(command)):
        put_back(PROMPT, text)
