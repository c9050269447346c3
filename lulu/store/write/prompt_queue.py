"""Prompts that are not sent yet: edited, deleted, put on hold by Stop, or released again."""

from __future__ import annotations

from typing import Any

from lulu.errors import Conflict
from lulu.model.commands import DeleteHeld, EditQueued, SendHeld, WithdrawQueued
from lulu.model.timestamps import now
from lulu.store import rows
from lulu.store.bus import COMMANDS, SESSIONS, row_topic, session_topic
from lulu.store.database import Transaction
from lulu.text.unicode import as_text

_PENDING = "session_id = :session AND status = 'pending' AND kind IN ('start', 'prompt', 'send_now') "
#: A session's first prompt is in the queue only while it is on hold; else the session starts with it.
_QUEUED = _PENDING + "AND (kind <> 'start' OR held_at IS NOT NULL) "


def edit(tx: Transaction, command: EditQueued) -> None:
    """Change the text of a prompt. Raises ``Conflict`` if it was already sent."""
    found = tx.query(
        "SELECT kind, payload FROM commands WHERE id = :id AND " + _QUEUED,
        id=command.command_id,
        session=command.session_id,
    )
    if not found:
        raise _too_late()
    payload = rows.parse_object(found[0]["payload"])
    if found[0]["kind"] == "start":
        payload["launch"] = payload["launch"] | {"prompt": command.text}
        tx.query("UPDATE sessions SET prompt = :text WHERE id = :id", id=command.session_id, text=as_text(command.text))
    else:
        payload["text"] = command.text
    tx.query(
        "UPDATE commands SET payload = :payload WHERE id = :id", id=command.command_id, payload=rows.as_json(payload)
    )
    _ring(tx, command.session_id)


def withdraw(tx: Transaction, command: WithdrawQueued) -> None:
    """Delete a prompt from the queue. Raises ``Conflict`` if it was already sent."""
    take_back(tx, command.session_id, command.command_id)


def take_back(tx: Transaction, session_id: str, command_id: int) -> None:
    """Delete a prompt from the queue by id. Raises ``Conflict`` if it was already sent."""
    withdrawn = tx.query(
        "UPDATE commands SET status = 'refused', error = 'withdrawn', done_at = :at, held_at = NULL "
        "WHERE id = :id AND " + _QUEUED + "RETURNING id",
        id=command_id,
        session=session_id,
        at=now(),
    )
    if not withdrawn:
        raise _too_late()
    _ring(tx, session_id)


def hold(tx: Transaction, session_id: str) -> None:
    """Put all prompts on hold: they are not sent until a person releases them."""
    held = tx.query(
        "UPDATE commands SET held_at = :at WHERE held_at IS NULL AND " + _PENDING + "RETURNING id",
        session=session_id,
        at=now(),
    )
    if held:
        _ring(tx, session_id)


def send_held(tx: Transaction, command: SendHeld) -> None:
    """Release all prompts on hold; they are sent in their order."""
    _release(tx, command.session_id)


def follow(tx: Transaction, taken: dict[str, Any]) -> None:
    """Release the prompts on hold after a prompt was taken, if no later prompt is in the queue.

    A prompt that is sent with "Send now" does not release them.
    """
    session_id = taken["session_id"]
    if taken["kind"] == "prompt" and not tx.query(
        "SELECT 1 FROM commands WHERE held_at IS NULL AND kind = 'prompt' AND " + _QUEUED + "LIMIT 1",
        session=session_id,
    ):
        _release(tx, session_id)


def delete_held(tx: Transaction, command: DeleteHeld) -> None:
    """Delete the prompts that are still on hold; another page may have released some."""
    tx.query(
        "UPDATE commands SET status = 'refused', error = 'withdrawn', done_at = :at, held_at = NULL "
        "WHERE held_at IS NOT NULL AND " + _QUEUED,
        session=command.session_id,
        at=now(),
    )
    _ring(tx, command.session_id)


def _release(tx: Transaction, session_id: str) -> None:
    released = tx.query(
        "UPDATE commands SET held_at = NULL WHERE held_at IS NOT NULL AND " + _QUEUED + "RETURNING id",
        session=session_id,
    )
    if released:
        _ring(tx, session_id)


def _ring(tx: Transaction, session_id: str) -> None:
    tx.ring(COMMANDS, SESSIONS, row_topic(session_id), session_topic(session_id))


def _too_late() -> Conflict:
    return Conflict("The agent has this prompt already.", safe="It was sent as it stood.", next_step="Stop the turn.")
