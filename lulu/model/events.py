"""Events: the actions of agents and people, as values, and their one encoding in the database.

The encoding is JSON text that any SQLite file can hold. Nothing is dropped: an unknown type, or a payload that does not
fit its type, decodes to ``Unknown`` with the stored text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, NewType, TypeVar

from pydantic import ValidationError

from lulu.model.payloads import payload_of, required

EventId = NewType("EventId", int)
E = TypeVar("E", bound="Event")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events, with the fields that every event may have."""

    type: ClassVar[str] = ""

    #: The uuid of the SDK's message. A fork or a resume from this event needs it.
    uuid: str | None = None
    #: The id of the API message. Several blocks can share one.
    message_id: str | None = None
    #: The ``tool_use`` id of the sub-agent's call, or ``None`` for the main agent.
    parent: str | None = None
    #: Whether the block is incomplete, because of a crash or an interrupt.
    partial: bool = False
    #: The tokens in the model's context when it began this block's message.
    context: int | None = None
    #: Other keys of the block: unknown ones, and values of an unexpected type.
    more: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class User(Event):
    """A prompt, stored before it is sent."""

    type: ClassVar[str] = "user"
    #: The prompt as typed.
    text: str
    #: Ids of rows in ``attachments``.
    attachments: list[Any] | None = None
    #: The name of the sender.
    actor: str | None = None
    #: The row in ``commands`` with the prompt.
    command_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Text(Event):
    """A finished block of an answer, in markdown."""

    type: ClassVar[str] = "text"
    content: str
    #: The sources that the API names for the text, unchanged.
    citations: list[Any] | None = None
    #: Whether a slash command printed it, without a model. Then each line end is kept.
    printed: bool = False


@dataclass(frozen=True, kw_only=True)
class Thinking(Event):
    """A finished block of thinking."""

    type: ClassVar[str] = "thinking"
    content: str


@dataclass(frozen=True, kw_only=True)
class ToolUse(Event):
    """A call of a tool by an agent."""

    type: ClassVar[str] = "tool_use"
    id: str
    name: str
    input: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ToolResult(Event):
    """The answer of a tool."""

    type: ClassVar[str] = "tool_result"
    tool_use_id: str
    #: A string, or the API's list of blocks.
    content: Any = None
    is_error: bool = False
    #: Claude Code's structured result (``tool_use_result``): a dict on success, a string on failure.
    data: Any = None


@dataclass(frozen=True, kw_only=True)
class System(Event):
    """A message of the agent's software: init, retry, state, task_started, compact, unknown, …"""

    type: ClassVar[str] = "system"
    subtype: str
    data: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Permission(Event):
    """A request to use a tool. ``id`` is the row in ``approvals``."""

    type: ClassVar[str] = "permission"
    id: str
    tool_use_id: str | None = None
    tool_name: str
    tool_input: dict[str, Any]
    suggestions: list[Any] | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class PermissionDecision(Event):
    """The answer to a ``Permission``: approved, denied, expired or cancelled."""

    type: ClassVar[str] = "permission_decision"
    id: str
    decision: str
    message: str | None = None
    actor: str | None = None
    rule_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Result(Event):
    """The end of a turn. See ``is_error`` and ``terminal_reason``: a subtype "success" may be a failure."""

    type: ClassVar[str] = "result"
    session_id: str | None = None
    #: Milliseconds of this turn, and of its API calls.
    duration_ms: float | None = None
    duration_api_ms: float | None = None
    #: Milliseconds of ``duration_ms`` spent waiting for people. ``None`` if there was no wait, or it was not measured.
    waited_ms: float | None = None
    #: US dollars of this turn alone, and the SDK's running total (cumulative over resume and fork).
    cost_usd: float | None = None
    total_cost_usd: float | None = None
    is_error: bool = False
    num_turns: int | None = None
    result: str | None = None
    subtype: str | None = None
    terminal_reason: str | None = None
    #: The reason why the model stopped: ``end_turn``, ``max_tokens``, ``refusal``, ``pause_turn``, …
    stop_reason: str | None = None
    #: The calls that were denied, as Claude Code lists them.
    permission_denials: list[Any] | None = None
    #: The turn's tokens, and the session's cumulative figures by model.
    usage: dict[str, Any] | None = None
    model_usage: dict[str, Any] | None = None

    @property
    def is_of_a_task(self) -> bool:
        """Whether the end of a background task began this turn, and not a prompt."""
        origin = (self.more or {}).get("origin")
        return isinstance(origin, dict) and origin.get("kind") == "task-notification"


#: The code of an error that replaces an event that could not be saved.
NOT_SAVED = "not_saved"


#: The code of an error for a prompt that one of the user's hooks has refused.
PROMPT_REFUSED = "prompt_refused"


@dataclass(frozen=True, kw_only=True)
class Error(Event):
    """A failure. ``detail`` is for experts: the end of stderr, a status code."""

    type: ClassVar[str] = "error"
    message: str
    code: str | None = None
    detail: str | None = None
    #: Advice for the reader, if there is more than to continue.
    next_step: str | None = None


@dataclass(frozen=True, kw_only=True)
class Unknown(Event):
    """An event that this version cannot read, kept unchanged."""

    event_type: str
    #: The payload column, byte for byte.
    raw: str


#: Every event type that this version writes and draws.
TYPES: dict[str, type[Event]] = {
    kind.type: kind
    for kind in (User, Text, Thinking, ToolUse, ToolResult, System, Permission, PermissionDecision, Result, Error)
}


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event with its row in the log."""

    id: EventId
    session_id: str
    event: Event
    created_at: datetime
    #: The payload column as stored; the page shows it as "raw".
    raw: str
    #: The kind of each secret that was taken out of it, for a guest.
    hidden: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """The ``event_type`` column."""
        return self.event.event_type if isinstance(self.event, Unknown) else self.event.type


def made(kind: type[E], values: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> E:
    """Return an event with these values. Values of a wrong type, and ``more``, go into ``Event.more``.

    Raises ``ValueError`` if a required field is missing or of a wrong type.
    """
    given = {name: value for name, value in values.items() if value is not None}
    try:
        fitting = payload_of(kind).validate_python(given)
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors(include_url=False, include_input=False)}
        if missing := sorted(required(kind) & wrong):
            raise ValueError(f"{kind.__name__} without {', '.join(missing)}") from error
        fitting = payload_of(kind).validate_python({name: given[name] for name in given.keys() - wrong})
    odd = {name: value for name, value in given.items() if name not in fitting}
    return kind(**fitting, more={**odd, **(more or {})} or None)


def encode(event: Event) -> tuple[str, str]:
    """Return ``(event_type, payload)``. The payload is ASCII JSON.

    So NUL, lone surrogates and emoji survive. Leaves out optional fields without a value. Raises ``TypeError`` or
    ``ValueError`` if JSON cannot hold a value.
    """
    if isinstance(event, Unknown):
        return event.event_type, event.raw
    payload = {
        field.name: value
        for field in fields(event)
        if (value := getattr(event, field.name)) is not None and value is not field.default
    }
    return event.type, json.dumps(payload, ensure_ascii=True, separators=(",", ":"))


def decode(event_type: str, payload: str) -> Event:
    """Return the event of a row; ``Unknown`` if the payload does not fit. Never raises."""
    kind = TYPES.get(event_type)
    if kind is None:
        return Unknown(event_type=event_type, raw=payload)
    try:
        found = json.loads(payload)
        given = {name: value for name, value in found.items() if value is not None}
        return kind(**payload_of(kind).validate_python(given))
    except (ValueError, AttributeError, RecursionError):
        return Unknown(event_type=event_type, raw=payload)
