"""One turn of the demo agent: the interface for scripts, and its begin, end and interrupt."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from lulu.agent.demo import frames
from lulu.agent.demo.blocks import (
    SIGNATURE,
    ApiFailed,
    BackgroundTask,
    Block,
    Prompt,
    Say,
    Strange,
    Think,
    finished_block,
    pieces,
)
from lulu.agent.demo.calls import Call, Calls, Outcome, Stopped
from lulu.agent.demo.channel import Channel
from lulu.agent.demo.conversation import Conversation
from lulu.agent.demo.frames import Frame
from lulu.agent.demo.pace import Pace

#: Seconds at human speed: before a message begins, and for each piece of a block.
FIRST_TOKEN_SECONDS = 0.5
TEXT_SECONDS = 0.06
THINKING_SECONDS = 0.045
INPUT_SECONDS = 0.02

_INPUT_PIECE = 32


@dataclass(kw_only=True)
class _OpenMessage:
    """A message that is being streamed, with the data to close it after an interrupt."""

    message_id: str
    opening: dict[str, int]
    written: str = ""
    index: int = 0
    #: The kind of the open block, and its text so far.
    kind: str | None = None
    partial: str = ""
    calls: dict[str, Call] = field(default_factory=dict)


class Turn:
    """The answer to one prompt."""

    def __init__(
        self,
        conversation: Conversation,
        channel: Channel,
        prompt: Prompt,
        pace: Pace,
        launch: Callable[[BackgroundTask], None],
    ) -> None:
        self.conversation = conversation
        self.channel = channel
        self.prompt = prompt
        self.pace = pace
        #: Starts work that outlives the turn.
        self.launch = launch
        self.calls = Calls(self)
        self._message: _OpenMessage | None = None
        self._body: asyncio.Task[None] | None = None
        self._interrupted = False
        self._replies = 0
        self._last_text = ""
        self._usage: dict[str, int] = {}
        self._began = time.monotonic()
        self._api_seconds = 0.0
        #: False for slash commands: their results have no model and no reason.
        self.used_model = True

    async def run(self, script: Callable[[Turn], Awaitable[None]]) -> None:
        """Run a script to its result frame. An exception other than ``ApiFailed`` ends the agent."""
        conversation = self.conversation
        conversation.read(self.prompt.text)
        await self.emit(
            frames.init(cwd=conversation.cwd, model=conversation.model, permission_mode=conversation.permissions.mode)
        )
        self._body = asyncio.ensure_future(script(self))
        if self._interrupted:
            self._body.cancel()
        try:
            await asyncio.wait({self._body})
        finally:
            self._body.cancel()
        await self._end(self._body)
        conversation.turns += 1 if self.used_model else 0

    def interrupt(self) -> None:
        """Stop the turn. ``run`` then closes it in order."""
        if not self._interrupted:
            self._interrupted = True
            self.channel.withdraw()
            if self._body:
                self._body.cancel()

    async def emit(self, frame: Frame) -> None:
        """Send a frame of this session."""
        names: Frame = {"uuid": frames.new_uuid(), "session_id": self.conversation.session_id}
        is_main = not frame.get("parent_tool_use_id")
        if self.prompt.uuid and is_main and frame["type"] in ("assistant", "result"):
            names |= {"user_message_uuid": self.prompt.uuid, "user_message_uuids": [self.prompt.uuid]}
        await self.channel.send({**names, **frame})

    def hook_input(self, event: str, **extra: Any) -> dict[str, Any]:
        """Return the fields of every hook's input."""
        return {
            "session_id": self.conversation.session_id,
            "transcript_path": "",
            "cwd": self.conversation.cwd,
            "permission_mode": self.conversation.permissions.mode,
            "hook_event_name": event,
            **extra,
        }

    async def pause(self, seconds: float) -> None:
        """Wait some seconds at human speed."""
        await self.pace.pause(seconds)

    def path(self, *parts: str) -> str:
        """Return a path in the session's folder."""
        return "/".join((self.conversation.cwd.rstrip("/"), *parts))

    async def reply(self, *blocks: Block) -> list[Outcome]:
        """Stream one message of the model, then perform its calls. Return their outcomes in order."""
        began = time.monotonic()
        self._replies += 1
        await self.emit(frames.status("requesting"))
        await self.pause(FIRST_TOKEN_SECONDS)
        message = await self.open_message()
        for block in blocks:
            await self._stream(message, block)
            message.index += 1
        await self.close_message("tool_use" if message.calls else "end_turn")
        self._api_seconds += time.monotonic() - began
        return await self.calls.perform(message.calls) if message.calls else []

    async def open_message(self) -> _OpenMessage:
        """Begin a message of the model."""
        conversation = self.conversation
        self._message = _OpenMessage(message_id=frames.new_id("msg"), opening=conversation.opening_usage())
        await self.emit(
            frames.message_start(
                message_id=self._message.message_id, model=conversation.model, usage=self._message.opening
            )
        )
        return self._message

    async def close_message(self, stop_reason: str | None) -> None:
        """End the open message, and add its cost."""
        message = self._message
        if message is None:
            return
        usage = self.conversation.bill(message.opening, message.written)
        for name, value in usage.items():
            self._usage[name] = self._usage.get(name, 0) + value
        await self.emit(frames.message_delta(stop_reason=stop_reason, usage=usage))
        await self.emit(frames.message_stop())
        self._message = None

    async def _stream(self, message: _OpenMessage, block: Block) -> None:
        match block:
            case Think():
                await self._stream_text(message, "thinking", block.text, THINKING_SECONDS)
            case Say():
                await self._stream_text(message, "text", block.text, TEXT_SECONDS, stalls=block.stalls)
                self._last_text = block.text
            case Call():
                await self._stream_call(message, block)
            case Strange():
                await self.emit(frames.block_start(message.index, block.block))
                await self._finished(message, block.block)

    async def begin_text(self, message: _OpenMessage, text: str) -> None:
        """Stream a text block without its end."""
        await self.emit(frames.block_start(message.index, {"type": "text", "text": ""}))
        await self._pieces(message, "text", text, TEXT_SECONDS)

    async def _pieces(self, message: _OpenMessage, kind: str, text: str, seconds: float) -> None:
        message.kind, message.partial = kind, ""
        for piece in pieces(text):
            await self.pause(seconds)
            message.partial += piece
            message.written += piece
            await self.emit(frames.block_delta(message.index, {"type": f"{kind}_delta", kind: piece}))

    async def _stream_text(
        self, message: _OpenMessage, kind: str, text: str, seconds: float, *, stalls: bool = False
    ) -> None:
        empty = {"type": kind, kind: ""} | ({"signature": ""} if kind == "thinking" else {})
        await self.emit(frames.block_start(message.index, empty))
        await self._pieces(message, kind, text, seconds)
        if stalls:
            await asyncio.Event().wait()
        message.kind = None
        if kind == "thinking":
            signature = {"type": "signature_delta", "signature": SIGNATURE}
            await self.emit(frames.block_delta(message.index, signature))
        await self._finished(message, finished_block(kind, text))

    async def _stream_call(self, message: _OpenMessage, call: Call) -> None:
        use_id = frames.new_id("toolu")
        block = {"type": "tool_use", "id": use_id, "name": call.name, "input": call.input}
        await self.emit(frames.block_start(message.index, {**block, "input": {}}))
        written = json.dumps(call.input)
        for at in range(0, len(written), _INPUT_PIECE):
            await self.pause(INPUT_SECONDS)
            delta = {"type": "input_json_delta", "partial_json": written[at : at + _INPUT_PIECE]}
            await self.emit(frames.block_delta(message.index, delta))
        message.written += written
        message.calls[use_id] = call
        await self._finished(message, block)

    async def _finished(self, message: _OpenMessage, block: dict[str, Any], **extra: Any) -> None:
        """Send the end of a block. Its assistant frame comes first, as in the real stream."""
        await self.emit(
            frames.assistant(
                block,
                message_id=message.message_id,
                model=self.conversation.model,
                usage=message.opening,
                **extra,
            )
        )
        await self.emit(frames.block_stop(message.index))

    async def _end(self, body: asyncio.Future[None]) -> None:
        failure = None if body.cancelled() else body.exception()
        if body.cancelled() or isinstance(failure, Stopped):
            await self._abort()
        elif isinstance(failure, ApiFailed):
            await self._fail(failure)
        elif failure:
            raise failure
        else:
            await self._result(terminal_reason="completed", stop_reason="end_turn")

    async def _abort(self) -> None:
        """Close an interrupted turn as the CLI does: partial text, open calls, the note, an error result."""
        open_calls, message = self.calls.open, self._message
        if message:
            await self._abort_message(message)
        for use_id, was_running in open_calls.items():
            await self.emit(frames.rejected(use_id, was_running=was_running))
        await self.emit(frames.user_text(frames.INTERRUPTED_TOOL if open_calls else frames.INTERRUPTED))
        self._replies += 1
        stop_reason = "tool_use" if open_calls else None
        await self._result(
            subtype="error_during_execution",
            is_error=True,
            stop_reason=stop_reason,
            terminal_reason="aborted_tools" if open_calls else "aborted_streaming",
            errors=[f"[ede_diagnostic] result_type=user last_content_type=n/a stop_reason={stop_reason or 'null'}"],
        )

    async def _abort_message(self, message: _OpenMessage) -> None:
        """Send partial text. Partial thinking and a partial call are lost, as with the real CLI."""
        if message.kind == "text" and message.partial:
            await self._finished(message, finished_block("text", message.partial), aborted=True)
        elif message.kind:
            await self.emit(frames.block_stop(message.index))
        await self.close_message(None)

    async def _fail(self, failure: ApiFailed) -> None:
        text = f"API Error: {failure.status} {failure.message}" if failure.status else f"API Error: {failure.message}"
        await self.emit(
            frames.synthetic(text, error=failure.error, is_api_error_message=True, api_error_status=failure.status)
        )
        self._last_text = text
        await self._result(
            is_error=True, stop_reason="stop_sequence", terminal_reason="api_error", api_error_status=failure.status
        )

    async def _result(self, *, subtype: str = "success", is_error: bool = False, **extra: Any) -> None:
        conversation = self.conversation
        frame: Frame = {
            "type": "result",
            "subtype": subtype,
            "is_error": is_error,
            "duration_ms": round((time.monotonic() - self._began) * 1000),
            "duration_api_ms": round(self._api_seconds * 1000),
            "num_turns": self._replies,
            "total_cost_usd": conversation.total_cost_usd,
            "usage": {"input_tokens": 0, "output_tokens": 0, **self._usage, "service_tier": "standard"},
            "modelUsage": conversation.model_usage(),
            "permission_denials": self.calls.denials,
            **extra,
        }
        if not self.used_model:
            frame |= {"terminal_reason": None, "stop_reason": None}
        if subtype == "success":
            frame["result"] = self._last_text
        if self.prompt.origin:
            frame["origin"] = self.prompt.origin
        await self.emit(frame)

    async def announce(self, text: str, **extra: Any) -> None:
        """Send a text of Claude Code itself. It is the turn's result, too."""
        self._last_text = text
        await self.emit(frames.synthetic(text, **extra))
