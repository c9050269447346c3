"""Closes what the end of an agent leaves open in its session, so that no session stays "running"."""

from __future__ import annotations

from collections.abc import Sequence

from lulu.model import events
from lulu.model.events import Event
from lulu.model.sessions import LIVE, Session, SessionStatus
from lulu.model.timestamps import now
from lulu.store import rows
from lulu.store.database import Transaction
from lulu.store.write import changes
from lulu.store.write.approvals import expire


def close_out(
    tx: Transaction, session_id: str, status: SessionStatus, notes: Sequence[Event], *, is_activity: bool = True
) -> None:
    """Close a session after the end of its agent: live text becomes a partial event, requests expire.

    A session whose first prompt is still to be sent keeps its status.
    """
    for row in tx.query("SELECT * FROM live_text WHERE session_id = :id", id=session_id):
        cut_off = rows.live_text(row)
        kind = events.Thinking if cut_off.kind == "thinking" else events.Text
        changes.insert_event(tx, session_id, kind(content=cut_off.text, message_id=cut_off.message_id, partial=True))
    tx.query("DELETE FROM live_text WHERE session_id = :id", id=session_id)
    expire(tx, session_id)
    changes.end_question(tx, session_id)
    tx.query(
        # An agent that has ended also fulfils a pending Stop.
        "UPDATE commands SET status = iif(kind = 'interrupt', 'done', 'failed'), "
        "error = iif(kind = 'interrupt', NULL, :error), done_at = :at WHERE session_id = :id AND status = 'taken'",
        id=session_id,
        error=f"The turn ended as {status.value}.",
        at=now(),
    )
    let_go(tx, session_id)
    unsent = tx.query(
        "SELECT 1 FROM commands WHERE session_id = :id AND kind = 'start' AND status = 'pending' AND held_at IS NULL",
        id=session_id,
    )
    if not unsent and changes.move(tx, session_id, status, is_activity=is_activity):
        for note in notes:
            changes.insert_event(tx, session_id, note)


def let_go(tx: Transaction, session_id: str) -> None:
    """Clear the process from the session's row, and note the background commands that ended with it."""
    tx.query("UPDATE sessions SET agent_pid = NULL, agent_started_at = NULL WHERE id = :id", id=session_id)
    found = tx.query(_BACKGROUND, id=session_id)
    told = rows.parse_object(found[0]["payload"]) if found else {}
    tasks = (told.get("data") or {}).get("tasks") if told.get("subtype") == _CHANGED else None
    if tasks:
        changes.insert_event(tx, session_id, events.System(subtype="background_stopped", data={"tasks": tasks}))


_CHANGED = "background_tasks_changed"
#: Selects the last report about background commands: the agent's, the note of their end, or a fork's beginning.
_BACKGROUND = (
    "SELECT payload FROM conversation_events WHERE session_id = :id AND event_type = 'system' "
    "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.subtype') END "
    "IN ('background_tasks_changed', 'background_stopped', 'forked') ORDER BY id DESC LIMIT 1"
)


def note_cut_off(tx: Transaction, session_id: str) -> None:
    """Note in the session that Lulu has stopped its turn, as after a crash."""
    if tx.query("SELECT 1 FROM sessions WHERE id = :id AND status = 'interrupted'", id=session_id):
        changes.insert_event(tx, session_id, events.System(subtype="lulu_stopped", data={}))


def unfinished_sessions(tx: Transaction) -> list[Session]:
    """Return sessions that a crash may have left live, or with a process, request or command."""
    found = tx.query(
        # A session that waits for an answer about its folder has no agent to recover.
        "SELECT * FROM sessions WHERE (status IN (:starting, :running, :waiting) AND id NOT IN "
        "(SELECT session_id FROM folder_questions)) OR agent_pid IS NOT NULL OR id IN ("
        "SELECT session_id FROM approvals WHERE status = 'pending' "
        "UNION SELECT session_id FROM live_text "
        "UNION SELECT session_id FROM commands WHERE status = 'taken' AND session_id IS NOT NULL)",
        **{status.value: status.value for status in LIVE},
    )
    return [rows.session(row) for row in found]
