"""The owner's answers about folders, and the sessions with a prompt that waits for one."""

from __future__ import annotations

from collections.abc import Sequence

from lulu.model.commands import ForgetFolder, TrustFolder
from lulu.model.sessions import ENDED, SessionStatus
from lulu.model.timestamps import now
from lulu.store import rows
from lulu.store.bus import APPROVALS, COMMANDS, FOLDERS, row_topic, session_topic
from lulu.store.database import Transaction
from lulu.store.write import changes
from lulu.text.unicode import as_text
from lulu.trust import answers
from lulu.trust.answers import Asked

#: Selects a session's prompts that are to be sent.
_PENDING = (
    "SELECT 1 FROM commands WHERE session_id = :id AND status = 'pending' AND held_at IS NULL "
    "AND kind IN ('start', 'prompt', 'send_now')"
)


# -- jobs ------------------------------------------------------------------------------------------------------------


def answer(tx: Transaction, command: TrustFolder) -> None:
    """Store the owner's answer about a folder. The host tries the waiting prompts again."""
    tx.query(
        "INSERT INTO folders (folder, trusted, entries, answered_by, answered_at) "
        "VALUES (:folder, :trusted, :entries, :by, :at) ON CONFLICT (folder) DO UPDATE SET "
        "trusted = excluded.trusted, entries = excluded.entries, answered_by = excluded.answered_by, "
        "answered_at = excluded.answered_at",
        folder=as_text(command.folder),
        trusted=int(command.trusted),
        entries=rows.as_json(command.entries),
        by=as_text(command.actor.name),
        at=now(),
    )
    tx.ring(FOLDERS, COMMANDS)


def forget(tx: Transaction, command: ForgetFolder) -> None:
    """Delete an answer: the owner is asked again before the next prompt."""
    tx.delete("folders", folder=as_text(command.folder))
    tx.ring(FOLDERS, COMMANDS)


def ask(tx: Transaction, session_id: str, asked: Sequence[Asked]) -> None:
    """Make the session's next prompt wait for the owner's answer. No effect without such a prompt."""
    session = tx.query("SELECT status FROM sessions WHERE id = :id", id=session_id)
    if not session or not tx.query(_PENDING, id=session_id):
        return
    question = answers.encode(asked)
    before = tx.query("SELECT question FROM folder_questions WHERE session_id = :id", id=session_id)
    if not before or before[0]["question"] != question:
        status = session[0]["status"]
        tx.query(
            "INSERT INTO folder_questions (session_id, question, status_before, asked_at) "
            "VALUES (:id, :question, :status, :at) ON CONFLICT (session_id) DO UPDATE SET question = excluded.question",
            id=session_id,
            question=question,
            status=status if status in ENDED else SessionStatus.INTERRUPTED.value,
            at=now(),
        )
        tx.ring(APPROVALS, session_topic(session_id), row_topic(session_id))
    changes.move(tx, session_id, SessionStatus.WAITING)


def end(tx: Transaction, session_id: str) -> bool:
    """End the question and restore the session's status. Returns whether there was one."""
    found = tx.query("DELETE FROM folder_questions WHERE session_id = :id RETURNING status_before", id=session_id)
    if not found:
        return False
    tx.ring(APPROVALS, session_topic(session_id))
    changes.move(
        tx, session_id, SessionStatus(found[0]["status_before"]), sources=[SessionStatus.WAITING], is_activity=False
    )
    return True


def end_unless_pending(tx: Transaction, session_id: str) -> None:
    """End the question if the prompt that waited for it was deleted."""
    if not tx.query(_PENDING, id=session_id):
        end(tx, session_id)
