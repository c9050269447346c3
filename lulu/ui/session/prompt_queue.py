"""The queue of a session: prompts that wait for the running turn or are on hold, for editing."""

from __future__ import annotations

import humanize
import streamlit as st

from lulu.model.actors import Role
from lulu.model.commands import DeleteHeld, EditQueued, SendHeld, SendNow, StartSession, StoredCommand, WithdrawQueued
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.ui import alerts, formats
from lulu.ui.content import attachments
from lulu.ui.page_context import PageContext
from lulu.ui.state import typed
from lulu.ui.transcript import event_views


def show(page: PageContext, session_id: SessionId) -> None:
    """Draw the queue. Buttons to send or delete all are above the prompts on hold."""
    alerts.show_problem(_place(session_id))
    queued = page.lulu.store.commands.queued_prompts(session_id)
    held = [stored for stored in queued if stored.is_held]
    for number, stored in enumerate(queued, start=1):
        if held and stored is held[0]:
            _show_hold(page, session_id, len(held))
        with st.container(key=f"queued_{stored.id}"), st.chat_message("user"):
            _show_one(page, session_id, stored, number - (len(queued) - len(held)) * stored.is_held)


def _show_hold(page: PageContext, session_id: SessionId, count: int) -> None:
    one = count == 1
    with st.container(key=f"hold_{session_id}", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f":orange[:material/pause_circle: {formats.plural(count, 'prompt')} {'is' if one else 'are'} on hold]"
        )
        if page.actor.role is not Role.OWNER:
            return
        for label, kind, key, does in (
            ("Send", SendHeld, f"send_held_{session_id}", "It is sent" if one else "They are sent in their order"),
            (
                "Delete" if one else "Delete all",
                DeleteHeld,
                f"delete_held_{session_id}",
                "It is" if one else "They are",
            ),
        ):
            st.button(
                label,
                key=key,
                help=f"{does} as soon as the agent is free." if kind is SendHeld else f"{does} never sent.",
                on_click=_submit,
                args=(page.lulu, kind(actor=page.actor, session_id=session_id)),
            )


def _show_one(page: PageContext, session_id: SessionId, stored: StoredCommand, number: int) -> None:
    is_next = isinstance(stored.command, StartSession | SendNow) and not stored.is_held
    event_views.prompt(stored.prompt, key=f"queued_text_{stored.id}")
    attachments.show(stored.attachment_ids, key=f"queued_{stored.id}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_NEXT[stored.command.kind] if is_next else _position(number, is_held=stored.is_held))
        if page.actor.role is Role.OWNER and not is_next:
            _show_actions(page, session_id, stored)


def _position(number: int, *, is_held: bool) -> str:
    """Return a prompt's position in the queue, in words."""
    if is_held:
        return f"On hold, number {number}."
    return "Next in the queue" if number == 1 else f"{humanize.ordinal(number)} in the queue"


#: Text of a prompt that is sent before all others, by the kind of its command.
_NEXT = {
    StartSession.kind: "Not sent yet.",
    SendNow.kind: "Sent as soon as the agent has stopped.",
}


def _show_actions(page: PageContext, session_id: SessionId, stored: StoredCommand) -> None:
    st.button(
        "Send now" if stored.is_held else "Interrupt and send now",
        key=f"send_now_{stored.id}",
        icon=":material/bolt:",
        type="tertiary",
        help="A running turn stops, and this is sent before everything else; what is on hold stays so.",
        on_click=_send_now,
        args=(page, session_id, stored),
    )
    editor = st.popover("Edit", key=f"edit_queued_{stored.id}", type="tertiary", on_change="rerun")
    if editor.open:
        with editor:
            st.text_area("Prompt", value=stored.prompt, key=_edited_key(stored), height=160)
            st.button(
                "Save",
                key=f"save_queued_{stored.id}",
                type="primary",
                on_click=_save,
                args=(page, session_id, stored),
            )
    st.button(
        "Delete",
        key=f"withdraw_{stored.id}",
        type="tertiary",
        on_click=_withdraw,
        args=(page, session_id, stored),
    )


def _send_now(page: PageContext, session_id: SessionId, stored: StoredCommand) -> None:
    command = SendNow(
        actor=page.actor,
        session_id=session_id,
        text=stored.prompt,
        attachments=page.lulu.store.commands.attachments(stored.attachment_ids),
        replaces=stored.id,
    )
    _submit(page.lulu, command)


def _save(page: PageContext, session_id: SessionId, stored: StoredCommand) -> None:
    command = EditQueued(actor=page.actor, session_id=session_id, command_id=stored.id, text=typed(_edited_key(stored)))
    _submit(page.lulu, command)


def _withdraw(page: PageContext, session_id: SessionId, stored: StoredCommand) -> None:
    command = WithdrawQueued(actor=page.actor, session_id=session_id, command_id=stored.id)
    _submit(page.lulu, command)


def _submit(lulu: Runtime, command: EditQueued | SendNow | WithdrawQueued | SendHeld | DeleteHeld) -> None:
    alerts.attempt(_place(command.session_id), lambda: lulu.store.commands.submit(command))


def _edited_key(stored: StoredCommand) -> str:
    return f"edited_queued_{stored.id}"


def _place(session_id: SessionId) -> str:
    return f"queue_{session_id}"
