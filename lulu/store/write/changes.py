"""Jobs for the writer: each function is one transaction, and its topics are reported after the commit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lulu.errors import Conflict, InputError, SessionNotFound
from lulu.model import claude_tools, commands, events
from lulu.model.commands import (
    AgentCommand,
    Command,
    CommandId,
    CommandStatus,
    Interrupt,
    SendNow,
    SendPrompt,
    SetPermissionMode,
    StartSession,
)
from lulu.model.events import Event, EventId, Result, Text, Thinking, ToolUse, User
from lulu.model.sessions import ENDED, Launch, SessionId, SessionStatus, sources_of
from lulu.model.timestamps import now
from lulu.model.validation import BYPASS, MAX_ATTACHMENTS, Attachment
from lulu.store import rows
from lulu.store.bus import APPROVALS, COMMANDS, SESSIONS, log_topic, row_topic, session_topic, text_topic
from lulu.store.database import Transaction
from lulu.store.rows import LiveText
from lulu.store.write import prompt_queue, turns
from lulu.store.write.search_index import index_event
from lulu.text.paragraphs import finished
from lulu.text.unicode import as_text

#: Columns of ``sessions`` that a change may set.
_SETTABLE = frozenset(
    {
        *("title", "model", "session_id_claude", "permission_mode", "agent", "agent_pid", "agent_started_at"),
        *("fork_conversation", "fork_message"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """The effect of one message of an agent on its session, written in one transaction."""

    session_id: str
    #: The events of one SDK message, in order. An event that is already stored (same uuid and place) is skipped.
    events: Sequence[Event] = ()
    #: The new status; ignored if ``ALLOWED`` does not have this transition.
    status: SessionStatus | None = None
    #: The live text …
    live: LiveText | None = None
    #: … or its end.
    clear_live: bool = False
    #: Columns of the row to set.
    columns: Mapping[str, object] = field(default_factory=dict)
    #: Cost (US dollars), duration (ms) and steps of this turn, added to the row's sums.
    cost_usd: float = 0.0
    duration_ms: float = 0.0
    num_turns: int = 0
    #: A command that ends with this change, and its error if it failed.
    command_id: CommandId | None = None
    command_status: CommandStatus = CommandStatus.DONE
    command_error: str | None = None
    #: Whether prompts and ends of turns in it count as activity. False if Lulu itself stops or recovers.
    is_activity: bool = True


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The result of a change."""

    #: The new events' ids; None for an event that was already stored.
    event_ids: list[EventId | None]
    #: Whether the status changed.
    moved: bool


def insert_session(tx: Transaction, session_id: SessionId, launch: Launch, status: SessionStatus) -> None:
    """Insert a row of ``sessions``."""
    at = now()
    tx.query(
        "INSERT INTO sessions (id, prompt, status, session_id_claude, created_at, updated_at) "
        "VALUES (:id, '', :status, :claude, :at, :at)",
        id=session_id,
        status=status.value,
        claude=session_id,
        at=at,
    )
    update_launch(tx, session_id, launch)


def update_launch(tx: Transaction, session_id: SessionId, launch: Launch) -> None:
    """Store how a draft is to be started."""
    tx.update(
        "sessions",
        {
            "id": session_id,
            "title": as_text(launch.title) if launch.title else None,
            "title_source": "person" if launch.title else None,
            "prompt": as_text(launch.prompt),
            "model": as_text(launch.model) if launch.model else None,
            "working_directory": as_text(launch.working_directory),
            "permission_mode": launch.permission_mode,
            "agent": launch.agent,
            "max_cost_usd": launch.max_cost_usd,
            "max_turns": launch.max_turns,
            "updated_at": now(),
        },
    )
    tx.ring(SESSIONS, row_topic(session_id))


def insert_command(tx: Transaction, command: AgentCommand) -> CommandId:
    """Insert a command; a start creates its session. Raises ``SessionNotFound`` and ``Conflict``."""
    kept: list[int] = []
    if isinstance(command, StartSession):
        _start(tx, command)
        # A draft's files: before the first prompt a session has no others.
        found = tx.query("SELECT id FROM attachments WHERE session_id = :id ORDER BY id", id=command.session_id)
        kept = [row["id"] for row in found]
    elif not tx.query("SELECT 1 FROM sessions WHERE id = :id", id=command.session_id):
        raise SessionNotFound
    if isinstance(command, Interrupt):
        prompt_queue.hold(tx, command.session_id)
    if isinstance(command, SetPermissionMode) and command.mode == BYPASS:
        _check_bypass(tx, command.session_id)
    attachment_ids = kept + insert_attachments(tx, command.session_id, getattr(command, "attachments", []))
    inserted = tx.query(
        "INSERT INTO commands (session_id, kind, payload, actor, status, created_at) "
        "VALUES (:session, :kind, :payload, :actor, 'pending', :at) RETURNING id",
        session=command.session_id,
        kind=command.kind,
        payload=commands.encode(command, attachment_ids),
        actor=as_text(command.actor.name),
        at=now(),
    )
    if isinstance(command, StartSession | SendPrompt | SendNow):
        note_activity(tx, command.session_id)
    tx.ring(COMMANDS, session_topic(command.session_id))
    return CommandId(inserted[0]["id"])


def _check_bypass(tx: Transaction, session_id: str) -> None:
    if not tx.query(rows.MAY_BYPASS, id=session_id):
        raise InputError(
            "This session wasn't started with bypass.",
            safe="Nothing was changed.",
            next_step="Start a new session in that mode.",
        )


def _start(tx: Transaction, command: StartSession) -> None:
    found = tx.query("SELECT status FROM sessions WHERE id = :id", id=command.session_id)
    if not found:
        insert_session(tx, command.session_id, command.launch, SessionStatus.STARTING)
        return
    if found[0]["status"] != SessionStatus.DRAFT:
        raise Conflict("This session was started already.", safe="Nothing was sent twice.")
    update_launch(tx, command.session_id, command.launch)
    move(tx, command.session_id, SessionStatus.STARTING)


def insert_attachments(tx: Transaction, session_id: str, attachments: Sequence[Attachment]) -> list[int]:
    """Insert files and return their ids. Raises ``InputError`` for too many files of one draft."""
    inserted = [_insert_attachment(tx, session_id, attachment) for attachment in attachments]
    found = tx.query(
        "SELECT count(*) AS files FROM attachments JOIN sessions ON sessions.id = session_id "
        "WHERE session_id = :id AND status = 'draft'",
        id=session_id,
    )
    if inserted and found[0]["files"] > MAX_ATTACHMENTS:
        raise InputError(f"At most {MAX_ATTACHMENTS} files go with one prompt.", safe="Nothing was saved.")
    return inserted


def _insert_attachment(tx: Transaction, session_id: str, attachment: Attachment) -> int:
    inserted = tx.query(
        "INSERT INTO attachments (session_id, name, media_type, bytes) VALUES (:session, :name, :type, :bytes) "
        "RETURNING id",
        session=session_id,
        name=as_text(attachment.name),
        type=as_text(attachment.media_type),
        bytes=attachment.content,
    )
    return int(inserted[0]["id"])


def insert_done(tx: Transaction, command: Command, payload: Mapping[str, object] | None = None) -> CommandId:
    """Insert a command that is already carried out, and return its id."""
    at = now()
    inserted = tx.query(
        "INSERT INTO commands (session_id, kind, payload, actor, status, created_at, done_at) "
        "VALUES (:session, :kind, :payload, :actor, 'done', :at, :at) RETURNING id",
        session=None if payload else command.session_id,
        kind=command.kind,
        payload=rows.as_json(payload) if payload else commands.encode(command),
        actor=as_text(command.actor.name),
        at=at,
    )
    return CommandId(inserted[0]["id"])


def take_command(tx: Transaction, command_id: CommandId, change: Change | None = None) -> bool:
    """Take a pending command and write ``change``. Returns whether this caller has it.

    A command on hold cannot be taken.
    """
    taken = tx.query(
        "UPDATE commands SET status = 'taken', taken_at = :at WHERE id = :id AND status = 'pending' "
        "AND held_at IS NULL RETURNING session_id, kind",
        id=command_id,
        at=now(),
    )
    if taken:
        prompt_queue.follow(tx, taken[0])
        tx.ring(session_topic(taken[0]["session_id"]))
        if change is not None:
            end_question(tx, change.session_id)
            record(tx, change)
    return bool(taken)


def end_question(tx: Transaction, session_id: str) -> None:
    """Delete the question about a session's folder: its prompt is sent, or its agent has ended."""
    if tx.query("DELETE FROM folder_questions WHERE session_id = :id RETURNING session_id", id=session_id):
        tx.ring(APPROVALS)


def end_command(tx: Transaction, command_id: CommandId, status: CommandStatus, error: str | None) -> None:
    """End a taken or pending command."""
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
    event_ids = [
        insert_event(tx, change.session_id, event, place, is_activity=change.is_activity)
        for place, event in enumerate(turns.with_waits(tx, change.session_id, change.events))
    ]
    if change.live is not None:
        _set_live_text(tx, change.session_id, change.live)
    if change.clear_live:
        tx.query("DELETE FROM live_text WHERE session_id = :id", id=change.session_id)
        tx.ring(text_topic(change.session_id), session_topic(change.session_id))
    if change.command_id is not None:
        end_command(tx, change.command_id, change.command_status, change.command_error)
    status = _unless_stopped(tx, change)
    moved = status is not None and move(tx, change.session_id, status, is_activity=change.is_activity)
    _set_columns(tx, change)
    return Recorded(event_ids=event_ids, moved=moved)


def _unless_stopped(tx: Transaction, change: Change) -> SessionStatus | None:
    """Return the status of the change, or ``interrupted`` if a person pressed Stop before the end."""
    is_end = change.status in (SessionStatus.COMPLETED, SessionStatus.FAILED)
    stops = is_end and tx.query(
        "SELECT 1 FROM commands WHERE session_id = :id AND kind = 'interrupt' AND status IN ('pending', 'taken')",
        id=change.session_id,
    )
    return SessionStatus.INTERRUPTED if stops else change.status


def insert_event(
    tx: Transaction, session_id: str, event: Event, place: int = 0, *, is_activity: bool = True
) -> EventId | None:
    """Append one event and return its id; None if it is already stored."""
    event_type, payload = _encoded(event)
    inserted = tx.query(
        "INSERT INTO conversation_events (session_id, event_type, payload, uid, created_at) "
        "VALUES (:session, :type, :payload, :uid, :at) "
        "ON CONFLICT (session_id, uid) WHERE uid IS NOT NULL DO NOTHING RETURNING id",
        session=session_id,
        type=event_type,
        payload=payload,
        uid=f"{_key(event.uuid)}:{place}" if event.uuid else None,
        at=now(),
    )
    if isinstance(event, Text):
        tx.ring(text_topic(session_id))
    tx.ring(session_topic(session_id), log_topic(session_id))
    if not inserted:
        return None
    index_event(tx, inserted[0]["id"], event)
    if is_activity and isinstance(event, User | Result) and event.parent is None:
        note_activity(tx, session_id)
    if isinstance(event, ToolUse) and event.name in claude_tools.CHECKLIST_TOOLS:
        tx.ring(row_topic(session_id))
    return EventId(inserted[0]["id"])


def _key(uuid: str) -> str:
    """Return the uuid as text for a column. Two odd uuids must stay different, or an event would be lost."""
    return uuid.encode(errors="backslashreplace").decode()


def _encoded(event: Event) -> tuple[str, str]:
    """Return ``events.encode``, or Python's ``repr`` for what JSON cannot express; ``Unknown`` reads that."""
    try:
        return events.encode(event)
    except (TypeError, ValueError, RecursionError) as exc:
        try:
            shown = repr(event)
        except Exception:
            shown = f"{type(event).__name__}(…)"
        return event.type or "unknown", json.dumps([f"not JSON: {exc}", shown])


def note_activity(tx: Transaction, session_id: str) -> None:
    """Set the time of the last activity: a prompt, a request, an answer or the end of a turn."""
    tx.query("UPDATE sessions SET last_activity_at = :at WHERE id = :id", id=session_id, at=now())
    tx.ring(SESSIONS)


def move(
    tx: Transaction,
    session_id: str,
    target: SessionStatus,
    *,
    sources: Sequence[SessionStatus] | None = None,
    is_activity: bool = True,
) -> bool:
    """Set the status if it is in ``sources`` (default: see ``ALLOWED``). Returns whether it changed."""
    moved = tx.query(
        "UPDATE sessions SET status = :target, updated_at = :at "
        "WHERE id = :id AND status IN (SELECT value FROM json_each(:sources)) RETURNING id",
        id=session_id,
        target=target.value,
        at=now(),
        sources=rows.as_json([status.value for status in sources or sources_of(target)]),
    )
    if moved:
        tx.ring(SESSIONS, row_topic(session_id), session_topic(session_id), log_topic(session_id))
        if is_activity and target in ENDED:
            note_activity(tx, session_id)
    return bool(moved)


def _set_live_text(tx: Transaction, session_id: str, live: LiveText) -> None:
    """Store the live text. Pages draw it again only when a paragraph is finished."""
    before = tx.query("SELECT * FROM live_text WHERE session_id = :id", id=session_id)
    tx.query(
        "INSERT INTO live_text (session_id, message_id, kind, text, updated_at) "
        "VALUES (:id, :message, :kind, :text, :at) ON CONFLICT (session_id) DO UPDATE SET "
        "message_id = excluded.message_id, kind = excluded.kind, text = excluded.text, "
        "updated_at = excluded.updated_at",
        id=session_id,
        message=live.message_id,
        kind=live.kind,
        text=as_text(live.text),
        at=now(),
    )
    tx.ring(text_topic(session_id))
    if not before or not _goes_on(rows.live_text(before[0]), live):
        tx.ring(session_topic(session_id))


def _goes_on(before: LiveText, live: LiveText) -> bool:
    """Whether this is the same block, longer, in the same paragraph. Thinking is never shown word by word."""
    if (before.message_id, before.kind) != (live.message_id, live.kind):
        return False
    if live.kind == Thinking.type:
        return True
    return live.text.startswith(before.text) and finished(live.text) == finished(before.text)


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
    """Return the number, or 0 for NaN and infinity: SQLite stores NaN as NULL, and sums would stay wrong."""
    return number if math.isfinite(number) else 0.0
