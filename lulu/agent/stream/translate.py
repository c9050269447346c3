"""Translate one frame of Claude Code's stream. No frame raises an error, and none is lost.

Reads the CLI's frames, not the SDK's message classes. The SDK's parser (``message_parser.py``) drops message and block
types that it does not know; here they become ``system``/``unknown``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lulu.agent.stream import blocks, failures
from lulu.agent.stream.frames import Frame, blocks_of, common_of, is_of_main, number_of, text_of
from lulu.agent.stream.live_block import BlockWriter, Ended, LiveBlock
from lulu.model.events import Event, Result, System, Text, made
from lulu.model.sessions import SessionStatus

#: ``system`` frames without information for a person: token counts while thinking.
_NOISE = frozenset({"thinking_tokens"})
#: The model of messages that Claude Code itself writes: the output of a slash command.
_WITHOUT_MODEL = "<synthetic>"
#: The keys of an ``init`` frame to keep. The others are long lists for the terminal.
_INIT_KEYS = (
    "session_id",
    "model",
    "cwd",
    "tools",
    "permissionMode",
    "claude_code_version",
    "mcp_servers",
    "apiKeySource",
    "slash_commands",
    "agents",
)
#: Lulu's names for subtypes of the CLI.
_SUBTYPES = {"api_retry": "retry", "compact_boundary": "compact"}
#: The kinds of frames that sub-agents also have. Others must be the main agent's, or are unknown.
_OF_SUB_AGENTS = frozenset({"assistant", "user", "stream_event", "system"})
#: The fields of a result that have the frame's own names.
_RESULT_KEYS = (
    *("uuid", "session_id", "duration_ms", "duration_api_ms", "total_cost_usd", "num_turns", "result", "subtype"),
    *("terminal_reason", "stop_reason", "usage"),
)
#: The fields of a result that are read, or have no information about the turn. All others are kept in ``more``.
_READ_OF_RESULT = frozenset({*_RESULT_KEYS, "type", "is_error", "modelUsage", "permission_denials"})


@dataclass(frozen=True, kw_only=True)
class TurnEnd:
    """The result of a turn."""

    status: SessionStatus
    #: The uuids of the prompts that it answers.
    prompt_uuids: list[str]
    #: Whether a person asked. A background task that ends starts a turn without a prompt.
    asked: bool
    #: The turn's own cost (US dollars).
    cost_usd: float
    duration_ms: float
    num_turns: int


@dataclass(frozen=True, kw_only=True)
class Translation:
    """The meaning of one frame."""

    events: list[Event] = field(default_factory=list)
    #: New live text …
    live: LiveBlock | None = None
    #: … or its end.
    clear_live: bool = False
    #: ``running``, ``requires_action`` or ``idle``.
    state: str | None = None
    #: The first sign that the agent works on the prompt. An earlier interrupt had no effect.
    is_init: bool = False
    #: The conversation's id from now on, for a later resume.
    conversation_id: str | None = None
    model: str | None = None
    permission_mode: str | None = None
    turn_end: TurnEnd | None = None
    #: The number of background tasks that run.
    background_tasks: int | None = None


class Translator:
    """Translates the frames of one agent process, in order. Tracks the live block and the cost so far."""

    def __init__(self, *, total_cost_usd: float = 0.0) -> None:
        #: The SDK's running total, cumulative over turns, resume and fork. So each turn's own cost is a difference.
        self._total = total_cost_usd
        self._writer = BlockWriter()
        self._init: Frame | None = None
        self._commands: list[str] | None = None
        self._error_told = False
        #: Whether the prompt was refused. Then the turn failed, though its result does not say so.
        self._refused = False

    def translate(self, frame: object) -> Translation:
        """Return the meaning of the frame. An unknown one becomes a ``system``/``unknown`` event."""
        if not isinstance(frame, dict):
            return _unknown({"frame": repr(frame)})
        kind = str(frame.get("type"))
        handler = self._handlers.get(kind)
        if handler is None or (kind not in _OF_SUB_AGENTS and not is_of_main(frame)):
            return _unknown(frame)
        try:
            return handler(self, frame)
        except (KeyError, TypeError, ValueError, AttributeError):
            # An unexpected form is kept raw, so that it is not misread.
            return _unknown(frame)

    # -- answers -----------------------------------------------------------------------------------------------------

    def _assistant(self, frame: Frame) -> Translation:
        message = frame["message"]
        common = common_of(frame, message.get("id"))
        is_refused = failures.is_failed_command(frame)
        if frame.get("error"):
            events: list[Event] = [failures.api_error(frame, common)]
        elif is_refused:
            events = [failures.command_failed(frame, common)]
        else:
            common["context"] = _context_tokens(message.get("usage"))
            events = [blocks.of_assistant(block, common) for block in blocks_of(message["content"])]
            if message.get("model") == _WITHOUT_MODEL:
                events = [replace(event, printed=True) if isinstance(event, Text) else event for event in events]
        if not is_of_main(frame):
            return Translation(events=events)
        self._error_told = self._error_told or is_refused or bool(frame.get("error"))
        self._refused = self._refused or is_refused
        ended = self._writer.end(events)
        return Translation(events=[*ended.cut_off, *events], clear_live=ended.had_text)

    def _user(self, frame: Frame) -> Translation:
        common = common_of(frame, None)
        return Translation(
            events=[blocks.of_user(block, common, frame) for block in blocks_of(frame["message"]["content"])]
        )

    def _stream_event(self, frame: Frame) -> Translation:
        if not is_of_main(frame):
            # A sub-agent's blocks come whole. The page shows live text of the main agent only.
            return Translation()
        event = frame["event"]
        live, ended = None, Ended()
        match event["type"]:
            case "message_start":
                ended = self._writer.begin_message(text_of(event["message"].get("id")))
            case "content_block_start":
                block = event["content_block"]
                ended = self._writer.begin_block(str(block["type"]), text_of(block.get("text")) or "")
            case "content_block_delta":
                live, ended = self._writer.grow(event["delta"])
        return Translation(events=ended.cut_off, live=live, clear_live=ended.had_text)

    # -- the machinery -----------------------------------------------------------------------------------------------

    def _system(self, frame: Frame) -> Translation:
        subtype = str(frame["subtype"])
        data = {name: value for name, value in frame.items() if name not in ("type", "subtype", "uuid")}
        event = System(subtype=_SUBTYPES.get(subtype, subtype), data=data, **common_of(frame, None))
        if subtype in _NOISE:
            return Translation()
        if not is_of_main(frame):
            return Translation(events=[event])
        if subtype == "session_state_changed":
            return Translation(state=str(frame["state"]))
        if subtype == "init":
            return self._init_frame(frame)
        if subtype == "status" and data.get("status") == "requesting":
            return Translation()
        if subtype == "commands_changed":
            return self._commands_changed(frame)
        if data.get("prevent_continuation") is True:
            is_refused = failures.is_refusal(data)
            self._refused, self._error_told = self._refused or is_refused, self._error_told or is_refused
            return Translation(events=[failures.stopped_by_hook(data, common_of(frame, None))])
        if subtype == "api_retry":
            self._writer.retry()
        return Translation(
            events=[event],
            permission_mode=text_of(data.get("permissionMode")) if subtype == "status" else None,
            background_tasks=len(frame["tasks"]) if subtype == "background_tasks_changed" else None,
        )

    def _init_frame(self, frame: Frame) -> Translation:
        data = {name: frame[name] for name in _INIT_KEYS if name in frame}
        self._error_told = False
        names = data.get("slash_commands", self._commands)
        changed = data != self._init or names != self._commands
        self._init, self._commands = data, names
        return Translation(
            # Sent at the start of every turn, but stored only if it has changed.
            events=[System(subtype="init", data=data, uuid=text_of(frame.get("uuid")))] if changed else [],
            is_init=True,
            conversation_id=text_of(data.get("session_id")),
            model=text_of(data.get("model")),
            permission_mode=text_of(data.get("permissionMode")),
        )

    def _commands_changed(self, frame: Frame) -> Translation:
        """Keep the names alone. The CLI's descriptions are for its own menu, and 13 kB long."""
        names = [str(one["name"]) if isinstance(one, dict) else str(one) for one in frame["commands"]]
        if names == self._commands:
            return Translation()
        self._commands = names
        event = System(subtype="commands_changed", data={"slash_commands": names}, uuid=text_of(frame.get("uuid")))
        return Translation(events=[event])

    def _rate_limit(self, frame: Frame) -> Translation:
        values = {"subtype": "rate_limit", "data": frame["rate_limit_info"], "uuid": frame.get("uuid")}
        return Translation(events=[made(System, values)])

    def _conversation_reset(self, frame: Frame) -> Translation:
        new_id = str(frame["new_conversation_id"])
        event = System(
            subtype="conversation_reset", data={"new_conversation_id": new_id}, uuid=text_of(frame.get("uuid"))
        )
        return Translation(events=[event], conversation_id=new_id)

    def _result(self, frame: Frame) -> Translation:
        cost = self._own_cost(frame.get("total_cost_usd"))
        origin = frame.get("origin")
        end = TurnEnd(
            status=failures.status_of(frame, is_refused=self._refused),
            prompt_uuids=[str(uuid) for uuid in _prompt_uuids(frame)],
            asked=not (isinstance(origin, dict) and origin.get("kind") == "task-notification"),
            cost_usd=cost,
            duration_ms=number_of(frame.get("duration_ms")),
            num_turns=int(number_of(frame.get("num_turns"))),
        )
        result = made(
            Result,
            {name: frame.get(name) for name in _RESULT_KEYS}
            | {
                "cost_usd": cost,
                "is_error": bool(frame.get("is_error")),
                "model_usage": frame.get("modelUsage"),
                "permission_denials": frame.get("permission_denials") or None,
            },
            {name: value for name, value in frame.items() if name not in _READ_OF_RESULT and value is not None},
        )
        ended = self._writer.end()
        events: list[Event] = [*ended.cut_off, result]
        if end.status is SessionStatus.FAILED and not self._error_told:
            events.insert(-1, failures.error_of(frame))
        self._error_told = self._refused = False
        return Translation(events=events, clear_live=ended.had_text, turn_end=end)

    def _own_cost(self, told: object) -> float:
        if not isinstance(told, int | float):
            return 0.0
        total = number_of(told)
        # A smaller total belongs to another conversation (after ``/clear``), which starts from zero.
        before = self._total if total >= self._total else 0.0
        self._total = total
        return total - before

    def _nothing(self, frame: Frame) -> Translation:
        """Ignore known frames without information: a prompt's position in the CLI's own queue, keep-alives."""
        return Translation()

    _handlers: dict[str, Callable[[Translator, Frame], Translation]] = {  # noqa: RUF012 - a constant
        "assistant": _assistant,
        "user": _user,
        "stream_event": _stream_event,
        "system": _system,
        "result": _result,
        "rate_limit_event": _rate_limit,
        "conversation_reset": _conversation_reset,
        "command_lifecycle": _nothing,
        "keep_alive": _nothing,
    }


def _context_tokens(usage: object) -> int | None:
    """Return the tokens in the context of a message, cached or not, from its usage; ``None`` if unknown."""
    if not isinstance(usage, dict):
        return None
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counts = [count for name in names if isinstance(count := usage.get(name), int)]
    return sum(counts) or None


def _unknown(frame: Frame) -> Translation:
    parent = frame.get("parent_tool_use_id")
    event = System(subtype="unknown", data=frame, uuid=text_of(frame.get("uuid")), parent=text_of(parent))
    return Translation(events=[event])


def _prompt_uuids(frame: Frame) -> list[object]:
    if isinstance(uuids := frame.get("user_message_uuids"), list) and uuids:
        return uuids
    return [frame["user_message_uuid"]] if frame.get("user_message_uuid") else []
