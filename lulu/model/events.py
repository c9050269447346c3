"""What agents and people did, as values; and their one encoding, JSON text that any SQLite file can hold.

Nothing is ever dropped: a type that this version does not know, or a payload that does not fit its type,
decodes to ``Unknown`` with the stored text as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any, ClassVar, NewType, TypeVar

EventId = NewType("EventId", int)
E = TypeVar("E", bound="Event")

#: The tools with which an agent keeps its list of things to do; older and newer Claude Code.
CHECKLIST_TOOLS = frozenset({"TodoWrite", "TaskCreate", "TaskUpdate"})


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event may carry beside its own fields."""

    type: ClassVar[str] = ""

    #: The SDK message's uuid; a fork or resume at this point needs it.
    uuid: str | None = None
    #: The API message (several blocks can share one).
    message_id: str | None = None
    #: The ``tool_use`` id of the sub-agent that this belongs to.
    parent: str | None = None
    #: The block was cut off: a crash or an interrupt came before its end.
    partial: bool = False
    #: Tokens that the model had read when it began the message of this block.
    context: int | None = None
    #: What else the block said, as it came: keys that this version does not read, values of another type.
    more: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class User(Event):
    """A prompt, written before it is sent."""

    type: ClassVar[str] = "user"
    #: The prompt as typed.
    text: str
    #: Ids of rows in ``attachments``.
    attachments: list[Any] | None = None
    #: Who sent it.
    actor: str | None = None
    #: The row in ``commands`` that asked for it.
    command_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Text(Event):
    """A finished block of an answer, in markdown."""

    type: ClassVar[str] = "text"
    content: str
    #: The sources that the API names for it, as it sent them.
    citations: list[Any] | None = None
    #: Whether a slash command printed it, without a model: its lines are lines.
    printed: bool = False


@dataclass(frozen=True, kw_only=True)
class Thinking(Event):
    """A finished block of thinking."""

    type: ClassVar[str] = "thinking"
    content: str


@dataclass(frozen=True, kw_only=True)
class ToolUse(Event):
    """An agent calls a tool."""

    type: ClassVar[str] = "tool_use"
    id: str
    name: str
    input: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ToolResult(Event):
    """What a tool answered."""

    type: ClassVar[str] = "tool_result"
    tool_use_id: str
    #: A string, or the API's list of blocks.
    content: Any = None
    is_error: bool = False
    #: Claude Code's structured result (``tool_use_result``): a dict on success, a string on failure.
    data: Any = None


@dataclass(frozen=True, kw_only=True)
class System(Event):
    """Something the agent's machinery said: init, retry, state, task_started, compact, unknown, …"""

    type: ClassVar[str] = "system"
    subtype: str
    data: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Permission(Event):
    """An agent asks to use a tool. ``id`` is the row in ``approvals``."""

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
    """The end of a turn. ``subtype == "success"`` does not mean success: see ``is_error`` and ``terminal_reason``."""

    type: ClassVar[str] = "result"
    session_id: str | None = None
    #: Milliseconds of this turn, and of its API calls.
    duration_ms: float | None = None
    duration_api_ms: float | None = None
    #: Milliseconds of ``duration_ms`` in which people were waited for; nothing where none was, or nobody counted.
    waited_ms: float | None = None
    #: US dollars of this turn alone, and the SDK's running total (cumulative over resume and fork).
    cost_usd: float | None = None
    total_cost_usd: float | None = None
    is_error: bool = False
    num_turns: int | None = None
    result: str | None = None
    subtype: str | None = None
    terminal_reason: str | None = None
    #: Why the model stopped: ``end_turn``, ``max_tokens``, ``refusal``, ``pause_turn``, …
    stop_reason: str | None = None
    #: The calls that were not allowed, as Claude Code lists them.
    permission_denials: list[Any] | None = None
    #: The turn's tokens, and the session's cumulative figures by model.
    usage: dict[str, Any] | None = None
    model_usage: dict[str, Any] | None = None

    @property
    def is_of_a_task(self) -> bool:
        """Whether nobody asked for the turn that ends here: something in the background had ended."""
        origin = (self.more or {}).get("origin")
        return isinstance(origin, dict) and origin.get("kind") == "task-notification"


#: The code of an error that stands in the place of something that could not be saved.
NOT_SAVED = "not_saved"


#: The code of an error that says that a hook of the user's has refused a prompt.
PROMPT_REFUSED = "prompt_refused"


@dataclass(frozen=True, kw_only=True)
class Error(Event):
    """Something failed. ``detail`` is for experts: a stderr tail, a status code."""

    type: ClassVar[str] = "error"
    message: str
    code: str | None = None
    detail: str | None = None
    #: What to do about it, where there is more to say than to go on.
    next_step: str | None = None


@dataclass(frozen=True, kw_only=True)
class Unknown(Event):
    """An event that this version cannot read, kept as it was stored."""

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
    """An event with its place in the log."""

    id: EventId
    session_id: str
    event: Event
    created_at: datetime
    #: The payload column as stored; what "raw" shows.
    raw: str

    @property
    def type(self) -> str:
        """The ``event_type`` column."""
        return self.event.event_type if isinstance(self.event, Unknown) else self.event.type


def made(kind: type[E], values: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> E:
    """The event with these values. One of another type than its field's, and ``more``, are kept as ``Event.more``.

    Raises ``ValueError`` where a field that must be there does not fit.
    """
    declared = {field.name: field for field in fields(kind)}
    fitting = {name: value for name, value in values.items() if value is not None and _fits(declared[name], value)}
    odd = {name: value for name, value in values.items() if value is not None and name not in fitting}
    if missing := [name for name in declared if declared[name].default is MISSING and name not in fitting]:
        raise ValueError(f"{kind.__name__} without {', '.join(missing)}")
    return kind(**fitting, more={**odd, **(more or {})} or None)


def encode(event: Event) -> tuple[str, str]:
    """``(event_type, payload)``: ASCII JSON, so that NUL, lone surrogates and emoji all survive.

    Empty optional fields are left out. Raises ``TypeError`` or ``ValueError`` where JSON cannot hold a value.
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
    """The event of a row. Never raises: what does not fit is ``Unknown``."""
    kind = TYPES.get(event_type)
    if kind is None:
        return Unknown(event_type=event_type, raw=payload)
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return Unknown(event_type=event_type, raw=payload)
    values = _fitting(kind, found)
    return Unknown(event_type=event_type, raw=payload) if values is None else kind(**values)


def _fitting(kind: type[Event], found: object) -> dict[str, Any] | None:
    """The constructor's arguments, or nothing where a field is missing or of another type."""
    if not isinstance(found, Mapping):
        return None
    values: dict[str, Any] = {}
    for field in fields(kind):
        value = found.get(field.name)
        if value is None:
            if field.default is MISSING:
                return None
        elif not _fits(field, value):
            return None
        else:
            values[field.name] = value
    return values


_CHECKS: dict[str, Callable[[object], bool]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "dict[str, Any]": lambda value: isinstance(value, dict),
    "list[Any]": lambda value: isinstance(value, list),
    "Any": lambda value: True,
}


def _fits(field: Field[Any], value: object) -> bool:
    return _CHECKS[str(field.type).removesuffix(" | None")](value)


def now() -> str:
    """This instant as every row of the store writes it: UTC, ISO 8601, milliseconds, ``Z``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: object) -> datetime:
    """A stored time as an aware UTC datetime.

    Reads Lulu's own form and SQLite's ``datetime('now')``. What is neither, or has no date in some time zone (the very
    first and last years), becomes the epoch, never an error.
    """
    epoch = datetime.fromtimestamp(0, UTC)
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return epoch
    if not MINYEAR < parsed.year < MAXYEAR:
        return epoch
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
