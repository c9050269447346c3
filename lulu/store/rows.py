"""Converts rows to values and back. Only this module knows the columns.

SQLite stores any type in any column, and other programs write to the file, too. So no content of a row raises here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lulu.model import commands, events
from lulu.model.commands import CommandId, CommandStatus, StoredCommand
from lulu.model.events import EventId, StoredEvent
from lulu.model.sessions import Session, SessionId
from lulu.model.timestamps import parse_optional_time, parse_time
from lulu.model.validation import Attachment
from lulu.rules import Rule
from lulu.text.unicode import as_unicode

Row = Mapping[str, Any]

#: The range of SQLite's integers.
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
#: Higher than any system's process ids.
_PIDS = 2**31

#: Returns a row if the session was started to bypass permissions, or does so now.
MAY_BYPASS = (
    "SELECT 1 FROM sessions WHERE id = :id AND permission_mode = 'bypassPermissions' "
    "UNION SELECT 1 FROM commands WHERE session_id = :id AND kind = 'start' "
    "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.launch.permission_mode') END = 'bypassPermissions'"
)


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One request of an agent to use a tool, and its answer."""

    id: str
    session_id: str
    tool_use_id: str | None
    #: The sub-agent that asks; None for the agent itself.
    agent_id: str | None
    tool_name: str
    tool_input: dict[str, Any]
    #: Claude Code's own suggestions for "don't ask again".
    suggestions: list[Any]
    #: ``pending``, ``approved``, ``denied``, ``expired`` (its agent ended) or ``cancelled`` (the agent withdrew it).
    status: str
    #: The input as a person changed it.
    updated_input: dict[str, Any] | None
    #: The agent's reason for the request.
    reason: str | None
    #: The person's message with the answer.
    message: str | None
    decided_by: str | None
    rule_id: int | None
    #: Whether a rule decided without asking a person.
    auto_approved: bool = False
    created_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class LiveText:
    """The block that an agent is writing, with its text so far."""

    message_id: str | None
    #: ``text`` or ``thinking``.
    kind: str
    text: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class SentPrompt:
    """A prompt that was sent to an agent or kept as a draft."""

    id: CommandId
    session_id: SessionId
    text: str
    #: Whether it is the first prompt of its session.
    is_first: bool


def session(row: Row) -> Session:
    """Return the session of a row of ``sessions``."""
    return Session(
        id=SessionId(_text(row["id"]) or ""),
        title=_text(row["title"]),
        prompt=_text(row["prompt"]) or "",
        status=_text(row["status"]) or "",
        model=_text(row["model"]),
        session_id_claude=_text(row["session_id_claude"]),
        cost_usd=_number(row["cost_usd"]),
        duration_ms=_number(row["duration_ms"]),
        num_turns=_whole(row["num_turns"]),
        created_at=parse_time(row["created_at"]),
        updated_at=parse_time(row["updated_at"]),
        working_directory=_text(row["working_directory"]),
        permission_mode=_text(row["permission_mode"]),
        agent=_text(row["agent"]),
        parent_session_id=_text(row["parent_session_id"]),
        agent_pid=_pid(row["agent_pid"]),
        agent_started_at=_number(row["agent_started_at"]),
        archived_at=parse_optional_time(row["archived_at"]),
        pinned_at=parse_optional_time(row["pinned_at"]),
        title_source=_text(row["title_source"]),
        max_cost_usd=_number(row["max_cost_usd"]),
        max_turns=_whole(row["max_turns"]),
        fork_conversation=_text(row["fork_conversation"]),
        fork_message=_text(row["fork_message"]),
        last_activity_at=parse_optional_time(row["last_activity_at"]),
        waited_ms=_number(row["waited_ms"]),
        held_prompts=_whole(row.get("held_prompts")) or 0,
    )


def event(row: Row) -> StoredEvent:
    """Return the event of a row of ``conversation_events``; ``Unknown`` if it cannot be read."""
    payload = row["payload"]
    raw = payload.decode("utf-8", "surrogateescape") if isinstance(payload, bytes) else str(payload)
    return StoredEvent(
        id=EventId(row["id"]),
        session_id=_text(row["session_id"]) or "",
        event=events.decode(_text(row["event_type"]) or "", raw),
        created_at=parse_time(row["created_at"]),
        raw=raw,
    )


def approval(row: Row) -> Approval:
    """Return the request of a row of ``approvals``."""
    return Approval(
        id=_text(row["id"]) or "",
        session_id=_text(row["session_id"]) or "",
        tool_use_id=_text(row["tool_use_id"]),
        agent_id=_text(row["agent_id"]),
        tool_name=_text(row["tool_name"]) or "",
        tool_input=parse_object(row["tool_input"]),
        suggestions=_parse(row["suggestions"], list) or [],
        status=_text(row["status"]) or "",
        updated_input=parse_object(row["updated_input"]) or None,
        reason=_text(row["reason"]),
        message=_text(row["message"]),
        decided_by=_text(row["decided_by"]),
        rule_id=_whole(row["rule_id"]),
        auto_approved=bool(row["auto_approved"]),
        created_at=parse_time(row["created_at"]),
        decided_at=parse_optional_time(row["decided_at"]),
    )


def live_text(row: Row) -> LiveText:
    """Return the live text of a row of ``live_text``."""
    return LiveText(
        message_id=_text(row["message_id"]),
        kind=_text(row["kind"]) or "",
        text=_text(row["text"]) or "",
        updated_at=parse_time(row["updated_at"]),
    )


def command(row: Row) -> StoredCommand | None:
    """Return the command of a row of ``commands``; None if this version cannot read it."""
    try:
        value, attachment_ids = commands.decode(
            _text(row["kind"]) or "", _text(row["session_id"]) or "", row["payload"], _text(row["actor"]) or ""
        )
        status = CommandStatus(row["status"])
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return StoredCommand(
        id=CommandId(row["id"]),
        command=value,
        status=status,
        error=_text(row["error"]),
        attachment_ids=attachment_ids,
        is_held=row["held_at"] is not None,
    )


def sent_prompt(row: Row) -> SentPrompt:
    """Return the prompt of a row of ``commands``; with an empty text if this version cannot read it."""
    try:
        payload = json.loads(row["payload"])
        prompt = payload["text"] if row["kind"] == "prompt" else payload["launch"]["prompt"]
    except (ValueError, TypeError, KeyError, RecursionError):
        prompt = ""
    return SentPrompt(
        id=CommandId(row["id"]),
        session_id=SessionId(_text(row["session_id"]) or ""),
        text=_text(prompt) or "",
        is_first=row["kind"] != "prompt",
    )


def rule(row: Row) -> Rule:
    """Return the rule of a row of ``auto_approve_rules``. Any action but ``approve`` denies."""
    return Rule(
        id=_whole(row["id"]),
        tool_pattern=_text(row["tool_pattern"]) or "",
        action="approve" if row["action"] == "approve" else "deny",
        session_id=_text(row["session_id"]),
        folder=_text(row["folder"]),
        enabled=bool(row["enabled"]),
        created_by=_text(row["created_by"]) or "",
        created_at=parse_time(row["created_at"]),
    )


def attachment(row: Row) -> Attachment:
    """Return the attachment of a row of ``attachments``."""
    content = row["bytes"]
    return Attachment(
        name=_text(row["name"]) or "",
        media_type=_text(row["media_type"]) or "",
        content=content if isinstance(content, bytes) else str(content).encode(),
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    return as_unicode(value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value))


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _pid(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value < _PIDS else None


def parse_object(text: object) -> dict[str, Any]:
    """Return the object of a JSON column; empty if it has no object."""
    return _parse(text, dict) or {}


def _parse(text: object, kind: type[Any]) -> Any:
    if not isinstance(text, str):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) else None


def as_json(value: object) -> str | None:
    """Return the text of a JSON column, in ASCII, so that any string survives."""
    return None if value is None else json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def bindable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that SQLite accepts: one that it refuses would fail the whole transaction."""
    return {name: _bindable(value) for name, value in values.items()}


def _bindable(value: Any) -> Any:
    if isinstance(value, str):
        return as_unicode(value)
    if isinstance(value, int):
        return max(_SMALLEST, min(value, _LARGEST))
    if value is None or isinstance(value, float | bytes):
        return value
    return as_unicode(str(value))
