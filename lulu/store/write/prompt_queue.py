"""Prompts that nobody has taken yet: changed, taken back, put on hold by a stop, and sent after all."""

from __future__ import annotations

from typing import Any

from lulu.errors import Conflict
from lulu.model.commands import DeleteHeld, EditQueued, SendHeld, WithdrawQueued
from lulu.model.timestamps import now
from lulu.store import rows
from lulu.store.bus import COMMANDS, SESSIONS, row_topic, session_topic
from lulu.store.sqlite.transaction import Transaction
from lulu.text.unicode import as_text

_PENDING = "session_id = :session AND status = 'pending' AND kind IN ('start', 'prompt', 'send_now') "
#: A session's first prompt is one of these only while it is on hold: before, the session starts with it.
_QUEUED = _PENDING + "AND (kind <> 'start' OR held_at IS NOT NULL) "


def edit(tx: Transaction, command: EditQueued) -> None:
    """Change the text of one. Raises ``Conflict`` where the agent has it already."""
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
    """Take one back. Raises ``Conflict`` where the agent has it already."""
    take_back(tx, command.session_id, command.command_id)


def take_back(tx: Transaction, session_id: str, command_id: int) -> None:
    """``withdraw``, by id."""
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
    """Put all on hold: none of them is taken before somebody says so."""
    held = tx.query(
        "UPDATE commands SET held_at = :at WHERE held_at IS NULL AND " + _PENDING + "RETURNING id",
        session=session_id,
        at=now(),
    )
    if held:
        _ring(tx, session_id)


def send_held(tx: Transaction, command: SendHeld) -> None:
    """Let all follow in their order."""
    _release(tx, command.session_id)


def follow(tx: Transaction, taken: dict[str, Any]) -> None:
    """A prompt is taken: the held ones follow it, unless another one that was typed after the stop is still to come.

    One that is sent at once leaves the others as they are.
    """
    session_id = taken["session_id"]
    if taken["kind"] == "prompt" and not tx.query(
        "SELECT 1 FROM commands WHERE held_at IS NULL AND kind = 'prompt' AND " + _QUEUED + "LIMIT 1",
        session=session_id,
    ):
        _release(tx, session_id)


def delete_held(tx: Transaction, command: DeleteHeld) -> None:
    """Take back what is on hold, and nothing else: another page may have let some follow meanwhile."""
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
