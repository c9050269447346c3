"""The demo agent as a transport of the SDK: it answers like Claude Code, but runs nothing."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from claude_agent_sdk import CLIConnectionError, ProcessError, Transport

from lulu.agent.demo import frames
from lulu.agent.demo.blocks import BackgroundTask, Crashed, Prompt
from lulu.agent.demo.channel import Channel
from lulu.agent.demo.conversation import DEFAULT_MODEL, Conversation
from lulu.agent.demo.frames import Frame
from lulu.agent.demo.pace import Pace
from lulu.agent.demo.scripts import choose
from lulu.agent.demo.turn import Turn


class DemoTransport(Transport):
    """One session of the demo agent: ``ClaudeSDKClient(options, transport=DemoTransport(...))``.

    The SDK does not pass cwd, model, mode, session or stderr to a transport, so pass them here as well.
    """

    def __init__(
        self,
        *,
        session_id: str,
        cwd: str,
        model: str | None = None,
        permission_mode: str = "default",
        may_bypass: bool = False,
        speed: float = 1.0,
        earlier_turns: int = 0,
        earlier_cost_usd: float = 0.0,
        stderr: Callable[[str], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take the settings of a session. ``speed``: 1 is a human's, 2 twice as fast, 0 never waits.

        A resumed session passes its number of answered prompts and its last ``total_cost_usd``.
        """
        self._conversation = Conversation(
            session_id=session_id,
            cwd=cwd,
            model=model,
            permission_mode=permission_mode,
            may_bypass=may_bypass,
            earlier_turns=earlier_turns,
            earlier_cost_usd=earlier_cost_usd,
        )
        self._pace = Pace(speed, sleep)
        self._stderr = stderr
        self._channel = Channel()
        self._queued: deque[Prompt] = deque()
        self._arrived = asyncio.Event()
        self._input_ended = False
        self._turn: Turn | None = None
        self._background: dict[str, asyncio.Task[None]] = {}
        self._worker: asyncio.Task[None] | None = None
        self._ready = False

    async def connect(self) -> None:
        """Start the agent."""
        self._worker = asyncio.create_task(self._work(), name="demo-agent")
        self._ready = True

    def is_ready(self) -> bool:
        """Whether the agent runs."""
        return self._ready

    def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yield every frame until the agent ends. Raises ``ProcessError`` if it "crashed"."""
        return self._channel.frames()

    async def write(self, data: str) -> None:
        """Take input of the SDK: prompts, control requests, and answers to ours."""
        for line in data.split("\n"):
            if not self._ready:
                raise CLIConnectionError("Cannot write to terminated process")
            if line.strip():
                self._take(json.loads(line))

    async def end_input(self) -> None:
        """End the agent after the prompts that it already has."""
        self._input_ended = True
        self._arrived.set()

    async def close(self) -> None:
        """End the agent now."""
        self._ready = False
        tasks = [*self._background.values(), *([self._worker] if self._worker else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._channel.close()

    def _take(self, message: Mapping[str, Any]) -> None:
        match message.get("type"):
            case "control_request":
                self._channel.post(self._control(message["request_id"], message["request"]))
            case "control_response":
                self._channel.answer(message["response"])
            case "user":
                self._queued.append(_prompt(message))
                self._arrived.set()

    def _control(self, request_id: str, request: Mapping[str, Any]) -> Frame:
        conversation = self._conversation
        match request.get("subtype"):
            case "initialize":
                conversation.hooks = request.get("hooks") or {}
                return frames.control_response(request_id, _ABOUT)
            case "interrupt":
                if self._turn:
                    self._turn.interrupt()
                waiting = [prompt.uuid for prompt in self._queued if prompt.uuid]
                return frames.control_response(request_id, {"still_queued": waiting})
            case "set_permission_mode":
                return self._set_permission_mode(request_id, str(request.get("mode")))
            case "set_model":
                conversation.model = request.get("model") or DEFAULT_MODEL
                if conversation.turns:
                    note = f"<local-command-stdout>Set model to `{conversation.model}`</local-command-stdout>"
                    self._post(frames.user_text(note, isReplay=True))
                return frames.control_response(request_id, {"model": conversation.model})
            case "mcp_status":
                return frames.control_response(request_id, {"mcpServers": []})
            case "stop_task":
                if stopped := self._background.get(str(request.get("task_id"))):
                    stopped.cancel()
                return frames.control_response(request_id, {})
            case subtype:
                return frames.control_error(request_id, f"The demo agent cannot do {subtype}.")

    def _set_permission_mode(self, request_id: str, mode: str) -> Frame:
        if mode == "bypassPermissions" and not self._conversation.may_bypass:
            return frames.control_error(
                request_id,
                "Cannot set permission mode to bypassPermissions because the session was not launched with "
                "--dangerously-skip-permissions",
            )
        self._conversation.permissions.mode = mode
        self._post(frames.status(None, permissionMode=mode))
        return frames.control_response(request_id, {"mode": mode})

    async def _work(self) -> None:
        """Answer prompts one after the other. Without prompts and background tasks, the agent is idle."""
        is_idle = True
        try:
            while True:
                if self._queued:
                    if is_idle:
                        self._post(frames.session_state("running"))
                        is_idle = False
                    await self._answer(self._queued.popleft())
                    continue
                if not self._background:
                    if not is_idle:
                        self._post(frames.session_state("idle"))
                        is_idle = True
                    if self._input_ended:
                        break
                await self._arrived.wait()
                self._arrived.clear()
        except Exception as exc:
            self._die(exc)
        else:
            self._channel.close()

    async def _answer(self, prompt: Prompt) -> None:
        self._turn = Turn(self._conversation, self._channel, prompt, self._pace, self._launch)
        try:
            await self._turn.run(prompt.play or choose(prompt, self._conversation))
        finally:
            self._turn = None

    def _launch(self, task: BackgroundTask) -> None:
        """Run work behind the turns. At its end, a prompt of its own has the report."""

        async def work() -> None:
            told = await task.work()
            origin = {"kind": "task-notification", "producer": "session-task"}
            self._queued.append(Prompt(text=told, origin=origin, play=task.afterwards))

        def done(_: asyncio.Task[None]) -> None:
            self._background.pop(task.task_id, None)
            self._arrived.set()

        self._background[task.task_id] = asyncio.create_task(work(), name=f"demo-{task.task_id}")
        self._background[task.task_id].add_done_callback(done)

    def _die(self, exc: Exception) -> None:
        self._ready = False
        exit_code = exc.exit_code if isinstance(exc, Crashed) else 1
        for line in exc.stderr if isinstance(exc, Crashed) else traceback.format_exception(exc):
            if self._stderr:
                self._stderr(line.rstrip("\n"))
        self._channel.close(
            ProcessError(
                f"Command failed with exit code {exit_code}",
                exit_code=exit_code,
                stderr="Check stderr output for details",
            )
        )

    def _post(self, frame: Frame) -> None:
        self._channel.post({**frame, "uuid": frames.new_uuid(), "session_id": self._conversation.session_id})


#: The answer to ``initialize``.
_ABOUT: dict[str, Any] = {
    "commands": [{"name": name, "description": "", "argumentHint": ""} for name in frames.SLASH_COMMANDS],
    "output_style": "default",
    "available_output_styles": ["default"],
    "models": [{"value": DEFAULT_MODEL, "displayName": "Demo", "description": "Built in, costs nothing"}],
    "account": {},
    "hook_on_failure_supported": True,
    "hooks_applied": True,
}


def _prompt(message: Mapping[str, Any]) -> Prompt:
    content = message["message"]["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts = [str(block.get("text", "")) for block in blocks if block.get("type") == "text"]
    return Prompt(
        text="\n".join(texts),
        uuid=message.get("uuid"),
        origin=message.get("origin"),
        verbatim=bool(message.get("client_composed")),
    )
