"""Prompts that wait for the running turn to end: in order, to edit and to take back until the agent has them."""

from __future__ import annotations

import streamlit as st

from lulu.actors import Actor, Role
from lulu.commands import EditQueued, SendNow, SendPrompt, StoredCommand, WithdrawQueued
from lulu.runtime import Runtime
from lulu.sessions import SessionId
from lulu.ui import attachments, notices, render
from lulu.ui.state import typed


def show(lulu: Runtime, actor: Actor, session_id: SessionId) -> None:
    """Draw the queue of a session."""
    notices.show_problem(_place(session_id))
    for number, stored in enumerate(lulu.store.queued_prompts(session_id), start=1):
        with st.container(key=f"queued_{stored.id}"), st.chat_message("user"):
            _show_one(lulu, actor, session_id, stored, number)


def _show_one(lulu: Runtime, actor: Actor, session_id: SessionId, stored: StoredCommand, number: int) -> None:
    is_next = isinstance(stored.command, SendNow)
    render.prompt(_text(stored), key=f"queued_text_{stored.id}")
    attachments.show(stored.attachment_ids, key=f"queued_{stored.id}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("It is sent as soon as the turn has stopped." if is_next else f"Queued, number {number}.")
        if actor.role is Role.OWNER and not is_next:
            _show_actions(lulu, actor, session_id, stored)


def _show_actions(lulu: Runtime, actor: Actor, session_id: SessionId, stored: StoredCommand) -> None:
    st.button(
        "Interrupt and send now",
        key=f"send_now_{stored.id}",
        icon=":material/bolt:",
        type="tertiary",
        help="The running turn stops, and this is sent before everything else.",
        on_click=_send_now,
        args=(lulu, actor, session_id, stored),
    )
    editor = st.popover("Edit", key=f"edit_queued_{stored.id}", type="tertiary", on_change="rerun")
    if editor.open:
        with editor:
            st.text_area("Prompt", value=_text(stored), key=_edited_key(stored), height=160)
            st.button(
                "Save",
                key=f"save_queued_{stored.id}",
                type="primary",
                on_click=_save,
                args=(lulu, actor, session_id, stored),
            )
    st.button(
        "Delete",
        key=f"withdraw_{stored.id}",
        type="tertiary",
        on_click=_withdraw,
        args=(lulu, actor, session_id, stored),
    )


def _text(stored: StoredCommand) -> str:
    return stored.command.text if isinstance(stored.command, SendPrompt | SendNow) else ""


def _send_now(lulu: Runtime, actor: Actor, session_id: SessionId, stored: StoredCommand) -> None:
    command = SendNow(
        actor=actor,
        session_id=session_id,
        text=_text(stored),
        attachments=lulu.store.attachments(stored.attachment_ids),
        replaces=stored.id,
    )
    notices.attempt(_place(session_id), lambda: lulu.store.submit(command))


def _save(lulu: Runtime, actor: Actor, session_id: SessionId, stored: StoredCommand) -> None:
    command = EditQueued(actor=actor, session_id=session_id, command_id=stored.id, text=typed(_edited_key(stored)))
    notices.attempt(_place(session_id), lambda: lulu.store.submit(command))


def _withdraw(lulu: Runtime, actor: Actor, session_id: SessionId, stored: StoredCommand) -> None:
    command = WithdrawQueued(actor=actor, session_id=session_id, command_id=stored.id)
    notices.attempt(_place(session_id), lambda: lulu.store.submit(command))


def _edited_key(stored: StoredCommand) -> str:
    return f"edited_queued_{stored.id}"


def _place(session_id: SessionId) -> str:
    return f"queue_{session_id}"
