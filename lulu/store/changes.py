"""What can be written, each as a job for the writer: one function, one transaction, all topics rung after it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lulu import commands, events
from lulu.actors import LULU, Actor
from lulu.commands import Command, CommandId, CommandStatus, StartSession
from lulu.errors import Conflict, SessionNotFound
from lulu.events import Event, EventId, Permission, PermissionDecision, now
from lulu.sessions import LIVE, Launch, SessionId, SessionStatus, sources_of
from lulu.store import rows
from lulu.store.bus import APPROVALS, COMMANDS, SESSIONS, row_topic, session_topic
from lulu.store.rows import Approval, LiveText
from lulu.store.writer import Transaction

#: Columns of ``sessions`` that a change may set.
_SETTABLE = frozenset(
    {"title", "model", "session_id_claude", "permission_mode", "agent", "agent_pid", "agent_started_at"}
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one message of an agent changes in its session: one transaction, all or nothing."""

    session_id: str
    #: The events of one SDK message, in order. One that is stored already (same uuid and place) is not stored again.
    events: Sequence[Event] = ()
    #: The status to move to; refused silently where ``ALLOWED`` has no such move.
    status: SessionStatus | None = None
    #: The text that is being written now …
    live: LiveText | None = None
    #: … or its end.
    clear_live: bool = False
    #: Columns of the row to set.
    columns: Mapping[str, object] = field(default_factory=dict)
    #: This turn's cost (US dollars), duration (ms) and count, added to the row's sums.
    cost_usd: float = 0.0
    duration_ms: float = 0.0
    num_turns: int = 0
    #: A command that ends with this change, and why where it did not go well.
    command_id: CommandId | None = None
    command_status: CommandStatus = CommandStatus.DONE
    command_error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a change did."""

    #: The new events' ids; nothing in the place of one that was there already.
    event_ids: list[EventId | None]
    #: Whether the status moved.
    moved: bool


def insert_session(tx: Transaction, session_id: SessionId, launch: Launch, status: SessionStatus) -> None:
    """A new row of ``sessions``."""
    at = now()
    tx.query(
        "INSERT INTO sessions (id, title, prompt, status, model, session_id_claude, working_directory, "
        "permission_mode, agent, created_at, updated_at) VALUES (:id, :title, :prompt, :status, :model, :claude, "
        ":folder, :mode, :agent, :at, :at)",
        id=session_id,
        title=rows.as_text(launch.title) if launch.title else None,
        prompt=rows.as_text(launch.prompt),
        status=status.value,
        model=rows.as_text(launch.model) if launch.model else None,
        claude=session_id,
        folder=rows.as_text(launch.working_directory),
        mode=launch.permission_mode,
        agent=launch.agent,
        at=at,
    )
    tx.ring(SESSIONS, row_topic(session_id))


def insert_command(tx: Transaction, command: Command) -> CommandId:
    """A pending row of ``commands``; a start makes its session too. Raises ``SessionNotFound``."""
    if isinstance(command, StartSession):
        insert_session(tx, command.session_id, command.launch, SessionStatus.STARTING)
    elif not tx.query("SELECT 1 FROM sessions WHERE id = :id", id=command.session_id):
        raise SessionNotFound
    inserted = tx.query(
        "INSERT INTO commands (session_id, kind, payload, actor, status, created_at) "
        "VALUES (:session, :kind, :payload, :actor, 'pending', :at) RETURNING id",
        session=command.session_id,
        kind=command.kind,
        payload=commands.encode(command),
        actor=rows.as_text(command.actor.name),
        at=now(),
    )
    tx.ring(COMMANDS, session_topic(command.session_id))
    return CommandId(inserted[0]["id"])


def take_command(tx: Transaction, command_id: CommandId) -> bool:
    """Compare-and-set from pending to taken: whether this caller has it now."""
    taken = tx.query(
        "UPDATE commands SET status = 'taken', taken_at = :at WHERE id = :id AND status = 'pending' "
        "RETURNING session_id",
        id=command_id,
        at=now(),
    )
    if taken:
        tx.ring(session_topic(taken[0]["session_id"]))
    return bool(taken)


def end_command(tx: Transaction, command_id: CommandId, status: CommandStatus, error: str | None) -> None:
    """A taken or pending command is over."""
    tx.query(
        "UPDATE commands SET status = :status, error = :error, done_at = :at "
        "WHERE id = :id AND status IN ('pending', 'taken')",
        id=command_id,
        status=status.value,
        error=error,
        at=now(),
    )


def record(tx: Transaction, change: Change) -> Recorded:
    """Write a ``Change``."""
    event_ids = [insert_event(tx, change.session_id, event, place) for place, event in enumerate(change.events)]
    if change.live is not None:
        _set_live_text(tx, change.session_id, change.live)
    if change.clear_live:
        tx.query("DELETE FROM live_text WHERE session_id = :id", id=change.session_id)
        tx.ring(session_topic(change.session_id))
    if change.command_id is not None:
        end_command(tx, change.command_id, change.command_status, change.command_error)
    moved = change.status is not None and move(tx, change.session_id, change.status)
    _set_columns(tx, change)
    return Recorded(event_ids=event_ids, moved=moved)


def insert_event(tx: Transaction, session_id: str, event: Event, place: int = 0) -> EventId | None:
    """Append one event; nothing where the same message's block is stored already."""
    event_type, payload = _encoded(event)
    inserted = tx.query(
        "INSERT INTO conversation_events (session_id, event_type, payload, uid, created_at) "
        "VALUES (:session, :type, :payload, :uid, :at) "
        "ON CONFLICT (session_id, uid) WHERE uid IS NOT NULL DO NOTHING RETURNING id",
        session=session_id,
        type=event_type,
        payload=payload,
        uid=f"{event.uuid}:{place}" if event.uuid else None,
        at=now(),
    )
    tx.ring(session_topic(session_id))
    return EventId(inserted[0]["id"]) if inserted else None


def _encoded(event: Event) -> tuple[str, str]:
    """As ``events.encode``; what JSON cannot hold is kept as Python shows it, and read back as ``Unknown``."""
    try:
        return events.encode(event)
    except (TypeError, ValueError, RecursionError) as exc:
        try:
            shown = repr(event)
        except Exception:
            shown = f"{type(event).__name__}(…)"
        return event.type or "unknown", json.dumps([f"not JSON: {exc}", shown])


def move(
    tx: Transaction, session_id: str, target: SessionStatus, *, sources: Sequence[SessionStatus] | None = None
) -> bool:
    """Compare-and-set of the status, from ``sources`` or from wherever ``ALLOWED`` says: whether it moved."""
    moved = tx.query(
        "UPDATE sessions SET status = :target, updated_at = :at "
        "WHERE id = :id AND status IN (SELECT value FROM json_each(:sources)) RETURNING id",
        id=session_id,
        target=target.value,
        at=now(),
        sources=rows.as_json([status.value for status in sources or sources_of(target)]),
    )
    if moved:
        tx.ring(SESSIONS, row_topic(session_id), session_topic(session_id))
    return bool(moved)


def ask(tx: Transaction, approval: Approval) -> None:
    """An agent asks: the row, its event and the status, together."""
    tx.query(
        "INSERT INTO approvals (id, session_id, tool_use_id, agent_id, tool_name, tool_input, suggestions, status, "
        "reason, created_at) VALUES (:id, :session, :tool_use, :agent, :tool, :input, :suggestions, 'pending', "
        ":reason, :at)",
        id=approval.id,
        session=approval.session_id,
        tool_use=approval.tool_use_id,
        agent=approval.agent_id,
        tool=rows.as_text(approval.tool_name),
        input=rows.as_json(approval.tool_input),
        suggestions=rows.as_json(approval.suggestions),
        reason=rows.as_text(approval.reason) if approval.reason else None,
        at=now(),
    )
    insert_event(
        tx,
        approval.session_id,
        Permission(
            id=approval.id,
            tool_use_id=approval.tool_use_id,
            tool_name=approval.tool_name,
            tool_input=approval.tool_input,
            suggestions=approval.suggestions or None,
            reason=approval.reason,
        ),
    )
    move(tx, approval.session_id, SessionStatus.WAITING)
    tx.ring(APPROVALS)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An answer to a request."""

    #: ``approved``, ``denied``, ``expired`` or ``cancelled``.
    outcome: str
    message: str | None = None
    updated_input: dict[str, object] | None = None
    rule_id: int | None = None


def decide(tx: Transaction, actor: Actor, approval_id: str, decision: Decision) -> Approval:
    """Answer a request: the first answer wins. Raises ``Conflict`` where it is answered already."""
    decided = tx.query(
        "UPDATE approvals SET status = :outcome, message = :message, updated_input = :input, rule_id = :rule, "
        "decided_by = :by, decided_at = :at WHERE id = :id AND status = 'pending' RETURNING *",
        id=approval_id,
        outcome=decision.outcome,
        message=rows.as_text(decision.message) if decision.message else None,
        input=rows.as_json(decision.updated_input),
        rule=decision.rule_id,
        by=rows.as_text(actor.name),
        at=now(),
    )
    if not decided:
        raise _answered(tx, approval_id)
    approval = rows.approval(decided[0])
    insert_event(
        tx,
        approval.session_id,
        PermissionDecision(
            id=approval_id,
            decision=decision.outcome,
            message=decision.message,
            actor=actor.name,
            rule_id=decision.rule_id,
        ),
    )
    open_ones = tx.query(
        "SELECT 1 FROM approvals WHERE session_id = :id AND status = 'pending' LIMIT 1", id=approval.session_id
    )
    if not open_ones:
        # Only if it waits: an answer that comes after the turn's end starts no other.
        move(tx, approval.session_id, SessionStatus.RUNNING, sources=[SessionStatus.WAITING])
    tx.ring(APPROVALS)
    return approval


def _answered(tx: Transaction, approval_id: str) -> Conflict:
    found = tx.query("SELECT status, decided_by FROM approvals WHERE id = :id", id=approval_id)
    if not found:
        return Conflict("This request does not exist any more.", safe="Nothing was changed.")
    row = found[0]
    by = f" by {row['decided_by']}" if row["decided_by"] else ""
    return Conflict(f"This request was already {row['status']}{by}.", safe="Your answer was not used.")


def close_out(tx: Transaction, session_id: str, status: SessionStatus, notes: Sequence[Event]) -> None:
    """The agent is gone, in a crash or not: what it was writing becomes a partial event, its open requests expire.

    A session whose first prompt nobody has taken yet stays as it is: that prompt is still to be sent.
    """
    for row in tx.query("SELECT * FROM live_text WHERE session_id = :id", id=session_id):
        cut_off = rows.live_text(row)
        kind = events.Thinking if cut_off.kind == "thinking" else events.Text
        insert_event(tx, session_id, kind(content=cut_off.text, message_id=cut_off.message_id, partial=True))
    tx.query("DELETE FROM live_text WHERE session_id = :id", id=session_id)
    _expire_requests(tx, session_id)
    tx.query(
        "UPDATE commands SET status = 'failed', error = :error, done_at = :at "
        "WHERE session_id = :id AND status = 'taken'",
        id=session_id,
        error=f"The turn ended as {status.value}.",
        at=now(),
    )
    tx.query("UPDATE sessions SET agent_pid = NULL, agent_started_at = NULL WHERE id = :id", id=session_id)
    unsent = tx.query(
        "SELECT 1 FROM commands WHERE session_id = :id AND kind = 'start' AND status = 'pending'", id=session_id
    )
    if not unsent and move(tx, session_id, status):
        for note in notes:
            insert_event(tx, session_id, note)


def _expire_requests(tx: Transaction, session_id: str) -> None:
    for row in tx.query("SELECT id FROM approvals WHERE session_id = :id AND status = 'pending'", id=session_id):
        decide(tx, LULU, row["id"], Decision(outcome="expired"))


def unfinished_sessions(tx: Transaction) -> list[str]:
    """Sessions that a crash may have left live, or with a process, a request or a command under way."""
    found = tx.query(
        "SELECT id FROM sessions WHERE status IN (:starting, :running, :waiting) OR agent_pid IS NOT NULL "
        "UNION SELECT session_id FROM approvals WHERE status = 'pending' "
        "UNION SELECT session_id FROM live_text UNION SELECT session_id FROM commands WHERE status = 'taken'",
        **{status.value: status.value for status in LIVE},
    )
    return [row["id"] for row in found]


def _set_live_text(tx: Transaction, session_id: str, live: LiveText) -> None:
    tx.query(
        "INSERT INTO live_text (session_id, message_id, kind, text, updated_at) "
        "VALUES (:id, :message, :kind, :text, :at) ON CONFLICT (session_id) DO UPDATE SET "
        "message_id = excluded.message_id, kind = excluded.kind, text = excluded.text, "
        "updated_at = excluded.updated_at",
        id=session_id,
        message=live.message_id,
        kind=live.kind,
        text=rows.as_text(live.text),
        at=now(),
    )
    tx.ring(session_topic(session_id))


def _set_columns(tx: Transaction, change: Change) -> None:
    if unknown := set(change.columns) - _SETTABLE:
        raise ValueError(f"not a column that a change may set: {sorted(unknown)}")
    if change.cost_usd or change.duration_ms or change.num_turns:
        tx.query(
            "UPDATE sessions SET cost_usd = coalesce(cost_usd, 0) + :cost, "
            "duration_ms = coalesce(duration_ms, 0) + :duration, num_turns = coalesce(num_turns, 0) + :turns, "
            "updated_at = :at WHERE id = :id",
            id=change.session_id,
            cost=_finite(change.cost_usd),
            duration=_finite(change.duration_ms),
            turns=change.num_turns,
            at=now(),
        )
    elif not change.columns:
        return
    if change.columns:
        tx.update("sessions", {"id": change.session_id, "updated_at": now(), **change.columns})
    tx.ring(SESSIONS, row_topic(change.session_id))


def _finite(number: float) -> float:
    """SQLite keeps NaN as NULL, and a sum never recovers from either that or infinity."""
    return number if math.isfinite(number) else 0.0
