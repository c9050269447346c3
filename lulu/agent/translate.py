"""One frame of Claude Code's stream → what it means for Lulu. Total: no frame raises, none is lost.

Reads the frames as the CLI wrote them and not the SDK's message classes: the SDK's parser drops message and block types
that it does not know (``message_parser.py``), and here they are kept as ``system``/``unknown``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lulu.events import Error, Event, Result, System, Text, Thinking, ToolResult, ToolUse
from lulu.sessions import SessionStatus

Frame = dict[str, Any]

#: ``terminal_reason`` of a turn that somebody stopped. Looked at before ``is_error``, which is true for them too.
_ABORTED = frozenset({"aborted_streaming", "aborted_tools"})
#: ``system`` frames that say nothing a person would miss: token counts while thinking.
_NOISE = frozenset({"thinking_tokens"})
#: The keys of an ``init`` frame that are worth keeping; the rest is long lists for the terminal.
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
#: Our names for the CLI's subtypes, where the design has one.
_SUBTYPES = {"api_retry": "retry", "compact_boundary": "compact"}


@dataclass(frozen=True, kw_only=True)
class LiveBlock:
    """The block that is being written, as far as it has come."""

    message_id: str | None
    #: ``text`` or ``thinking``.
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class TurnEnd:
    """A result: how the turn ended."""

    status: SessionStatus
    #: The prompts that it answers, by the uuid we sent them with.
    prompt_uuids: list[str]
    #: Whether a person asked; a background task that ends starts a turn that nobody asked for.
    asked: bool
    #: This turn's own cost (US dollars).
    cost_usd: float
    duration_ms: float
    num_turns: int


@dataclass(frozen=True, kw_only=True)
class Translation:
    """What one frame means."""

    events: list[Event] = field(default_factory=list)
    #: New live text …
    live: LiveBlock | None = None
    #: … or its end.
    clear_live: bool = False
    #: ``running``, ``requires_action`` or ``idle``.
    state: str | None = None
    #: The first sign that the agent works on the prompt; an earlier interrupt was not heard.
    is_init: bool = False
    #: The conversation's id from now on, for a later resume.
    conversation_id: str | None = None
    model: str | None = None
    permission_mode: str | None = None
    turn_end: TurnEnd | None = None
    #: How many background tasks are under way.
    background_tasks: int | None = None


class Translator:
    """Translates the frames of one agent process, in order. Knows the block being written and the cost so far."""

    def __init__(self, *, total_cost_usd: float = 0.0) -> None:
        #: The SDK's running total: cumulative over turns, resume and fork, so each turn's own cost is a difference.
        self._total = total_cost_usd
        self._message_id: str | None = None
        self._live: LiveBlock | None = None
        self._init: Frame | None = None
        self._error_told = False

    def translate(self, frame: object) -> Translation:
        """What the frame means; one that nobody knows becomes a ``system``/``unknown`` event."""
        if not isinstance(frame, dict):
            return _unknown({"frame": repr(frame)})
        handler = self._handlers.get(str(frame.get("type")))
        if handler is None:
            return _unknown(frame)
        try:
            return handler(self, frame)
        except (KeyError, TypeError, ValueError, AttributeError):
            # The shape is not the one measured: kept raw rather than half understood.
            return _unknown(frame)

    # -- answers -----------------------------------------------------------------------------------------------------

    def _assistant(self, frame: Frame) -> Translation:
        message = frame["message"]
        common = _common(frame, message.get("id"))
        if frame.get("error"):
            self._error_told = True
            text = "".join(block.get("text", "") for block in message["content"])
            code = str(frame["error"])
            return Translation(events=[Error(message=text or code, code=code, **common)], clear_live=self._end_live())
        common["context"] = _context_tokens(message.get("usage"))
        events = [self._block(block, common) for block in message["content"]]
        ours = frame.get("parent_tool_use_id") is None
        return Translation(events=events, clear_live=ours and self._end_live())

    def _block(self, block: Frame, common: dict[str, Any]) -> Event:
        match block["type"]:
            case "text":
                return Text(content=block["text"], **common)
            case "thinking":
                return Thinking(content=block["thinking"], **common)
            case "tool_use" | "server_tool_use":
                return ToolUse(id=block["id"], name=block["name"], input=block["input"], **common)
            case kind if kind.endswith("tool_result"):
                return ToolResult(tool_use_id=block["tool_use_id"], content=block.get("content"), **common)
            case _:
                return System(subtype="unknown", data=block, **common)

    def _user(self, frame: Frame) -> Translation:
        content = frame["message"]["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        return Translation(events=[self._user_block(block, frame) for block in blocks])

    def _user_block(self, block: Frame, frame: Frame) -> Event:
        common = _common(frame, None)
        match block["type"]:
            case "tool_result":
                return ToolResult(
                    tool_use_id=block["tool_use_id"],
                    content=block.get("content"),
                    is_error=bool(block.get("is_error")),
                    data=frame.get("tool_use_result"),
                    **common,
                )
            case "text":
                # Not a person's prompt (those are not echoed): a note of Claude Code's, a finished task's report.
                data = {"text": block["text"], "origin": frame.get("origin")}
                return System(subtype="note", data=data, **common)
            case _:
                return System(subtype="unknown", data=block, **common)

    # -- the block that is being written -----------------------------------------------------------------------------

    def _stream_event(self, frame: Frame) -> Translation:
        if frame.get("parent_tool_use_id") is not None:
            return Translation()
        event = frame["event"]
        match event["type"]:
            case "message_start":
                cut_off = self._cut_off()
                self._message_id = event["message"].get("id")
                return cut_off
            case "content_block_start":
                return self._begin(event["content_block"]["type"])
            case "content_block_delta":
                return self._grow(event["delta"])
            case _:
                return Translation()

    def _begin(self, kind: str) -> Translation:
        cut_off = self._cut_off()
        if kind in ("text", "thinking"):
            self._live = LiveBlock(message_id=self._message_id, kind=kind, text="")
        return cut_off

    def _grow(self, delta: Frame) -> Translation:
        more = {"text_delta": delta.get("text"), "thinking_delta": delta.get("thinking")}.get(delta["type"])
        if self._live is None or not more:
            return Translation()
        self._live = LiveBlock(message_id=self._live.message_id, kind=self._live.kind, text=self._live.text + more)
        return Translation(live=self._live)

    def _cut_off(self) -> Translation:
        """The end of a block that was never delivered whole: what was shown of it is kept as a partial event.

        An interrupt delivers the text so far, but not the thinking (measured with CLI 2.1.330).
        """
        block = self._live
        if not self._end_live() or block is None:
            return Translation()
        kind = Thinking if block.kind == "thinking" else Text
        return Translation(
            events=[kind(content=block.text, message_id=block.message_id, partial=True)], clear_live=True
        )

    def _end_live(self) -> bool:
        """Forget the live block: whether there was one with text."""
        had = self._live is not None and bool(self._live.text)
        self._live = None
        return had

    # -- the machinery -----------------------------------------------------------------------------------------------

    def _system(self, frame: Frame) -> Translation:
        subtype = str(frame["subtype"])
        data = {name: value for name, value in frame.items() if name not in ("type", "subtype", "uuid")}
        if subtype in _NOISE:
            return Translation()
        if subtype == "session_state_changed":
            return Translation(state=str(frame["state"]))
        if subtype == "init":
            return self._init_frame(frame)
        if subtype == "status" and data.get("status") == "requesting":
            return Translation()
        event = System(subtype=_SUBTYPES.get(subtype, subtype), data=data, uuid=frame.get("uuid"))
        return Translation(
            events=[event],
            # What a failed try had streamed comes again from its start.
            clear_live=subtype == "api_retry" and self._end_live(),
            permission_mode=data.get("permissionMode") if subtype == "status" else None,
            background_tasks=len(frame["tasks"]) if subtype == "background_tasks_changed" else None,
        )

    def _init_frame(self, frame: Frame) -> Translation:
        data = {name: frame[name] for name in _INIT_KEYS if name in frame}
        self._error_told = False
        changed = data != self._init
        self._init = data
        return Translation(
            # Sent at the start of every turn; told again only when something is different.
            events=[System(subtype="init", data=data, uuid=frame.get("uuid"))] if changed else [],
            is_init=True,
            conversation_id=data.get("session_id"),
            model=data.get("model"),
            permission_mode=data.get("permissionMode"),
        )

    def _rate_limit(self, frame: Frame) -> Translation:
        return Translation(events=[System(subtype="rate_limit", data=frame["rate_limit_info"], uuid=frame.get("uuid"))])

    def _conversation_reset(self, frame: Frame) -> Translation:
        new_id = str(frame["new_conversation_id"])
        event = System(subtype="conversation_reset", data={"new_conversation_id": new_id}, uuid=frame.get("uuid"))
        return Translation(events=[event], conversation_id=new_id)

    def _result(self, frame: Frame) -> Translation:
        total = frame.get("total_cost_usd")
        cost = self._own_cost(total)
        end = TurnEnd(
            status=_status_of(frame),
            prompt_uuids=[str(uuid) for uuid in _prompt_uuids(frame)],
            asked=(frame.get("origin") or {}).get("kind") != "task-notification",
            cost_usd=cost,
            duration_ms=float(frame.get("duration_ms") or 0),
            num_turns=int(frame.get("num_turns") or 0),
        )
        result = Result(
            uuid=frame.get("uuid"),
            session_id=frame.get("session_id"),
            duration_ms=frame.get("duration_ms"),
            duration_api_ms=frame.get("duration_api_ms"),
            cost_usd=cost,
            total_cost_usd=total,
            is_error=bool(frame.get("is_error")),
            num_turns=frame.get("num_turns"),
            result=frame.get("result"),
            subtype=frame.get("subtype"),
            terminal_reason=frame.get("terminal_reason"),
            usage=frame.get("usage"),
            model_usage=frame.get("modelUsage"),
        )
        cut_off = self._cut_off()
        events: list[Event] = [*cut_off.events, result]
        if end.status is SessionStatus.FAILED and not self._error_told:
            events.insert(-1, _error_of(frame))
        self._error_told = False
        return Translation(events=events, clear_live=cut_off.clear_live, turn_end=end)

    def _own_cost(self, total: float | None) -> float:
        if total is None:
            return 0.0
        # A smaller total is another conversation's (``/clear``): it starts from nothing.
        before = self._total if total >= self._total else 0.0
        self._total = total
        return float(total - before)

    def _nothing(self, frame: Frame) -> Translation:
        """Known frames that say nothing more: where a prompt stands in the CLI's own queue, keep-alives."""
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


def _common(frame: Frame, message_id: str | None) -> dict[str, Any]:
    return {"uuid": frame.get("uuid"), "message_id": message_id, "parent": frame.get("parent_tool_use_id")}


def _context_tokens(usage: object) -> int | None:
    """What the model had read for a message, cached or not: its usage as of its start."""
    if not isinstance(usage, dict):
        return None
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counts = [count for name in names if isinstance(count := usage.get(name), int)]
    return sum(counts) or None


def _unknown(frame: Frame) -> Translation:
    uuid = frame.get("uuid")
    return Translation(events=[System(subtype="unknown", data=frame, uuid=uuid if isinstance(uuid, str) else None)])


def _status_of(frame: Frame) -> SessionStatus:
    if frame.get("terminal_reason") in _ABORTED:
        return SessionStatus.INTERRUPTED
    return SessionStatus.FAILED if frame.get("is_error") else SessionStatus.COMPLETED


def _prompt_uuids(frame: Frame) -> list[object]:
    if uuids := frame.get("user_message_uuids"):
        return list(uuids)
    return [frame["user_message_uuid"]] if frame.get("user_message_uuid") else []


def _error_of(frame: Frame) -> Error:
    reasons = [str(reason) for reason in frame.get("errors") or []]
    text = frame.get("result") or (reasons[0] if reasons else "The turn failed.")
    status = frame.get("api_error_status")
    return Error(
        message=str(text),
        code=str(frame.get("subtype")) if frame.get("subtype") != "success" else str(frame.get("terminal_reason")),
        detail="\n".join(([f"HTTP {status}"] if status else []) + reasons[1:]) or None,
    )
