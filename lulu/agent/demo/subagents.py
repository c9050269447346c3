"""Sub-agents of the demo agent. Their events have the ``Agent`` call's id as their parent."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from lulu.agent.demo import frames
from lulu.agent.demo.blocks import SIGNATURE, BackgroundTask, Say, Think
from lulu.agent.demo.calls import Call, Caller, Outcome, Output
from lulu.agent.demo.conversation import tokens
from lulu.agent.demo.turn import Turn

#: Seconds of a sub-agent for one message. It does not stream.
_MESSAGE_SECONDS = 1.2
_AGENT_TYPE = "general-purpose"


class SubAgent:
    """One running sub-agent."""

    def __init__(self, turn: Turn, use_id: str, description: str, *, is_background: bool) -> None:
        self.turn = turn
        self.agent_id = "a" + uuid.uuid4().hex[:16]
        self._use_id = use_id
        self._description = description
        self._is_background = is_background
        self._began = time.monotonic()
        self._tool_uses = 0
        self._tokens = 0

    async def reply(self, *blocks: Think | Say | Call) -> list[Outcome]:
        """Send one message, block by block, then perform its calls. Return their outcomes in order."""
        await self.turn.pause(_MESSAGE_SECONDS)
        message_id = frames.new_id("msg")
        calls: dict[str, Call] = {}
        for block in blocks:
            use_id = frames.new_id("toolu")
            if isinstance(block, Call):
                calls[use_id] = block
            await self._emit_block(message_id, _finished(use_id, block))
        if not calls:
            return []
        self._tool_uses += len(calls)
        await self._progress(list(calls.values())[-1])
        return await self.turn.calls.perform(calls, Caller(parent=self._use_id, agent_id=self.agent_id))

    async def work(self, prompt: str, job: Callable[[SubAgent], Awaitable[str]]) -> Output:
        """Do the whole job, from ``task_started`` to the report."""
        await self._task("task_started", description=self._description, prompt=prompt, task_type="local_agent")
        if not self._is_background:
            await self.turn.emit(frames.user_text(prompt, parent=self._use_id, **self._names()))
        try:
            report = await job(self)
        except (Exception, asyncio.CancelledError):
            await self._finish("killed", "stopped", "Stopped before it was done")
            raise
        await self._emit_block(frames.new_id("msg"), {"type": "text", "text": report})
        await self._finish("completed", "completed", report)
        return Output(content=[{"type": "text", "text": report}], data=self._data(prompt, report))

    async def _emit_block(self, message_id: str, block: dict[str, Any]) -> None:
        written = str(block.get("text") or block.get("thinking") or block.get("input"))
        read = 3_000 if not self._tokens else 400
        self._tokens += self.turn.conversation.bill_aside(read=read, written=written)
        await self.turn.emit(
            frames.assistant(
                block,
                message_id=message_id,
                model=self.turn.conversation.model,
                usage={"input_tokens": 4, "output_tokens": tokens(written)},
                parent=self._use_id,
                **self._names(),
            )
        )

    async def _progress(self, call: Call) -> None:
        doing = str(call.input.get("description") or call.name)
        await self._task("task_progress", description=doing, last_tool_name=call.name, usage=self._usage())

    async def _finish(self, patched: str, notified: str, summary: str) -> None:
        await self._task("task_updated", patch={"status": patched, "end_time": round(time.time() * 1000)})
        await self._task("task_notification", status=notified, output_file="", summary=summary, usage=self._usage())

    async def _task(self, subtype: str, **data: Any) -> None:
        names = {"task_id": self.agent_id, "tool_use_id": self._use_id, "subagent_type": _AGENT_TYPE}
        await self.turn.emit(frames.system(subtype, **names, is_backgrounded=self._is_background, **data))

    def _names(self) -> dict[str, str]:
        return {"agent_id": self.agent_id, "subagent_type": _AGENT_TYPE, "task_description": self._description}

    def _usage(self) -> dict[str, int]:
        elapsed = round((time.monotonic() - self._began) * 1000)
        return {"total_tokens": self._tokens, "tool_uses": self._tool_uses, "duration_ms": elapsed}

    def _data(self, prompt: str, report: str) -> dict[str, Any]:
        usage = self._usage()
        return {
            "status": "completed",
            "prompt": prompt,
            "agentId": self.agent_id,
            "agentType": _AGENT_TYPE,
            "content": [{"type": "text", "text": report}],
            "totalDurationMs": usage["duration_ms"],
            "totalTokens": usage["total_tokens"],
            "totalToolUseCount": usage["tool_uses"],
        }


def agent(description: str, prompt: str, job: Callable[[SubAgent], Awaitable[str]]) -> Call:
    """Return the call of a sub-agent that the turn waits for. ``job`` returns its report."""

    async def work(turn: Turn, use_id: str, tool_input: dict[str, Any]) -> Output:
        return await SubAgent(turn, use_id, description, is_background=False).work(prompt, job)

    return _call(description, prompt, work)


def background_agent(
    description: str,
    prompt: str,
    job: Callable[[SubAgent], Awaitable[str]],
    afterwards: Callable[[Turn], Awaitable[None]],
) -> Call:
    """Return the call of a sub-agent that outlives the turn. Its report starts a turn with ``afterwards``."""

    async def work(turn: Turn, use_id: str, tool_input: dict[str, Any]) -> Output:
        sub_agent = SubAgent(turn, use_id, description, is_background=True)

        async def report() -> str:
            try:
                output = await sub_agent.work(prompt, job)
            finally:
                await turn.emit(frames.system("background_tasks_changed", tasks=[]))
            return str(output.content[0]["text"])

        task = {"task_id": sub_agent.agent_id, "task_type": "local_agent", "description": description}
        await turn.emit(frames.system("background_tasks_changed", tasks=[task]))
        turn.launch(BackgroundTask(task_id=sub_agent.agent_id, work=report, afterwards=afterwards))
        launched = "Async agent launched successfully.\nThe agent is working in the background."
        data = {
            "isAsync": True,
            "status": "async_launched",
            "agentId": sub_agent.agent_id,
            "description": description,
            "prompt": prompt,
        }
        return Output(content=[{"type": "text", "text": launched}], data=data)

    return _call(description, prompt, work, run_in_background=True)


def _call(description: str, prompt: str, work: Any, **more: Any) -> Call:
    tool_input = {"description": description, "prompt": prompt, "subagent_type": _AGENT_TYPE, **more}
    return Call(name="Agent", input=tool_input, work=work)


def _finished(use_id: str, block: Think | Say | Call) -> dict[str, Any]:
    match block:
        case Think():
            return {"type": "thinking", "thinking": block.text, "signature": SIGNATURE}
        case Say():
            return {"type": "text", "text": block.text}
    return {"type": "tool_use", "id": use_id, "name": block.name, "input": block.input}
