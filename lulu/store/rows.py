"""Rows as values. The only place that knows which column is which field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lulu import commands, events
from lulu.commands import CommandId, CommandStatus, StoredCommand
from lulu.events import EventId, StoredEvent, parse_time
from lulu.sessions import Session, SessionId

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One request of an agent to use a tool, and its answer."""

    id: str
    session_id: str
    tool_use_id: str | None
    #: The sub-agent that asks.
    agent_id: str | None
    tool_name: str
    tool_input: dict[str, Any]
    #: Claude Code's own suggestions for "don't ask again".
    suggestions: list[Any]
    #: ``pending``, ``approved``, ``denied``, ``expired`` (Lulu stopped) or ``cancelled`` (the agent withdrew it).
    status: str
    #: The input that a person put in its place.
    updated_input: dict[str, Any] | None
    #: Why it is asked.
    reason: str | None
    #: What the person wrote with the answer.
    message: str | None
    decided_by: str | None
    rule_id: int | None
    created_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class LiveText:
    """The block that an agent is writing, as far as it has come."""

    message_id: str | None
    #: ``text`` or ``thinking``.
    kind: str
    text: str
    updated_at: datetime


def session(row: Row) -> Session:
    """A row of ``sessions``."""
    return Session(
        id=SessionId(row["id"]),
        title=row["title"],
        prompt=row["prompt"],
        status=row["status"],
        model=row["model"],
        session_id_claude=row["session_id_claude"],
        cost_usd=row["cost_usd"],
        duration_ms=row["duration_ms"],
        num_turns=row["num_turns"],
        created_at=parse_time(row["created_at"]),
        updated_at=parse_time(row["updated_at"]),
        working_directory=row["working_directory"],
        permission_mode=row["permission_mode"],
        agent=row["agent"],
        parent_session_id=row["parent_session_id"],
        agent_pid=row["agent_pid"],
        agent_started_at=row["agent_started_at"],
    )


def event(row: Row) -> StoredEvent:
    """A row of ``conversation_events``; one that cannot be read becomes ``Unknown``."""
    raw = row["payload"]
    text = raw if isinstance(raw, str) else repr(raw)
    return StoredEvent(
        id=EventId(row["id"]),
        session_id=row["session_id"],
        event=events.decode(row["event_type"], text),
        created_at=parse_time(row["created_at"]),
        raw=text,
    )


def approval(row: Row) -> Approval:
    """A row of ``approvals``."""
    return Approval(
        id=row["id"],
        session_id=row["session_id"],
        tool_use_id=row["tool_use_id"],
        agent_id=row["agent_id"],
        tool_name=row["tool_name"],
        tool_input=_object(row["tool_input"], dict) or {},
        suggestions=_object(row["suggestions"], list) or [],
        status=row["status"],
        updated_input=_object(row["updated_input"], dict),
        reason=row["reason"],
        message=row["message"],
        decided_by=row["decided_by"],
        rule_id=row["rule_id"],
        created_at=parse_time(row["created_at"]),
        decided_at=parse_time(row["decided_at"]) if row["decided_at"] else None,
    )


def live_text(row: Row) -> LiveText:
    """A row of ``live_text``."""
    return LiveText(
        message_id=row["message_id"],
        kind=row["kind"],
        text=row["text"],
        updated_at=parse_time(row["updated_at"]),
    )


def command(row: Row) -> StoredCommand | None:
    """A row of ``commands``; nothing for one that this version cannot read."""
    try:
        value = commands.decode(row["kind"], row["session_id"], row["payload"], row["actor"])
        status = CommandStatus(row["status"])
    except (ValueError, TypeError):
        return None
    return StoredCommand(id=CommandId(row["id"]), command=value, status=status, error=row["error"])


def _object(text: object, kind: type[Any]) -> Any:
    if not isinstance(text, str):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, kind) else None


def as_json(value: object) -> str | None:
    """A JSON column: ASCII, so that any string survives."""
    return None if value is None else json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def as_text(text: str) -> str:
    """A plain TEXT column: SQLite takes no lone surrogate, so each becomes U+FFFD (events keep the exact string)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
