"""One agent process: the SDK's client with Lulu's options and translated frames. Knows no store."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import warnings
from collections import deque
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from claude_agent_sdk import (
    CanUseToolShadowedWarning,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ClaudeSDKError,
    CLIConnectionError,
    CLIJSONDecodeError,
    CLINotFoundError,
    ProcessError,
    Transport,
)

from lulu.agent import data_folder_guard, os_processes, project
from lulu.agent.demo import DemoTransport
from lulu.agent.elicitation import take_questions
from lulu.agent.sdk_hooks import before_tool_use, can_use_tool
from lulu.agent.spec import AgentSpec, Ask, ConversationExists, Gate, ResumeRefused, TranscriptMissing
from lulu.agent.stream.translate import Translation, Translator
from lulu.errors import AgentError
from lulu.model.validation import IMAGE_TYPES, Attachment
from lulu.settings import PermissionMode, Settings

#: Tools that reach other sessions of this user, or let a session wake itself up.
DISALLOWED_TOOLS = ["ListAgents", "SendMessage", "CronCreate", "ScheduleWakeup"]
#: The SDK's own limit of 1 MiB per line would end the session at the first large tool result.
MAX_BUFFER_BYTES = 64 << 20
#: The number of last lines of stderr that are kept for the error message.
STDERR_LINES = 50
#: Seconds to wait for the CLI's answer to a change. It took 1 to 30 ms when measured.
_CONTROL_SECONDS = 10.0
#: Seconds to read the rest of stderr after the process has ended. A tool of its own may hold the pipe open.
_LAST_WORDS_SECONDS = 0.5
#: Seconds from SIGTERM to SIGKILL for a cancelled start.
_LEAVE_SECONDS = 1.0


class _Client(ClaudeSDKClient):
    """The SDK's client, extended to read the rest of stderr before it drops an ended process."""

    #: The exit code, after the process has ended.
    exit_code: int | None = None

    @property
    def process(self) -> Any:
        """The process, or ``None`` before its start and for the demo agent.

        Private to the SDK: it offers no other way.
        """
        return getattr(self._transport, "_process", None)

    async def hear_out(self) -> None:
        """Read the rest of stderr of an ended process. The SDK would drop what it has not read yet."""
        reader = getattr(self._transport, "_stderr_task", None)
        if reader is None or self._transport is None or self.process is None:
            return
        if self.process.returncode is not None or not self._transport.is_ready():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.wait(), _LAST_WORDS_SECONDS)

    async def disconnect(self) -> None:
        """Close the client. The SDK itself also calls this, after a failed start."""
        process = self.process
        await self.hear_out()
        await super().disconnect()
        self.exit_code = getattr(process, "returncode", None)


class Agent:
    """A client that is used from one event loop, and read as long as it runs."""

    def __init__(self, spec: AgentSpec, settings: Settings, ask: Ask, gate: Gate) -> None:
        self.spec = spec
        self._settings = settings
        self._ask = ask
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES)
        #: The mark in the environment of all processes that it starts.
        self._mark = f"{os_processes.mark_of(settings.database_path)}{spec.session_id}:{uuid4()}"
        self._translator = Translator(total_cost_usd=spec.total_cost_usd)
        self._substitute = project.Substitute(spec, settings)
        # The warning says that no callback runs in this mode. Ours is for a later mode, and a hook sees every call.
        warnings.filterwarnings("ignore", category=CanUseToolShadowedWarning)
        self._client = _Client(self._options(ask, gate), transport=self._transport())
        #: The pid and start time of the process; ``None`` for the demo agent.
        self.pid: int | None = None
        self.started_at: float | None = None

    @property
    def stderr_tail(self) -> str:
        """The last lines that the process wrote to stderr."""
        return "\n".join(self._stderr)

    async def connect(self) -> None:
        """Start the process. Raises ``AgentError`` or one of its kinds. After a cancellation, none remains."""
        connecting = asyncio.ensure_future(self._client.connect())
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            await self._give_up(connecting)
            raise
        except Exception as exc:  # the SDK raises a bare Exception for a CLI that refuses, or does not answer
            raise self._as_refusal(self._explain(exc), exc) from exc
        finally:
            self._substitute.close()
        self._learn_pid()
        take_questions(self._client._query, self._ask)

    async def _give_up(self, connecting: asyncio.Future[None]) -> None:
        """Cancel a start. The SDK alone would wait 5 s for the process to end by itself."""
        self._learn_pid()
        self.terminate()
        connecting.cancel()
        await asyncio.wait({connecting}, timeout=_LEAVE_SECONDS)
        self.kill()
        await asyncio.wait({connecting})
        if not connecting.cancelled() and connecting.exception() is None:
            await self._client.disconnect()

    def _learn_pid(self) -> None:
        """Record the pid. Without it, an orphaned process could not be ended after a crash."""
        self.pid = getattr(self._client.process, "pid", None)
        self.started_at = os_processes.start_time(self.pid) if self.pid else None

    async def send(self, text: str, uuid: str, attachments: Sequence[Attachment] = ()) -> None:
        """Send a prompt with our own uuid. Its result has that uuid. Raises ``AgentError``."""
        content: str | list[dict[str, Any]] = text
        if attachments:
            content = [*(_block(attachment) for attachment in attachments), {"type": "text", "text": text}]

        async def one() -> AsyncIterator[dict[str, Any]]:
            yield {
                "type": "user",
                "message": {"role": "user", "content": content},
                "parent_tool_use_id": None,
                "uuid": uuid,
                "origin": {"kind": "human"},
            }

        try:
            await self._client.query(one())
        except (ClaudeSDKError, OSError) as exc:
            raise self._explain(exc) from exc

    async def interrupt(self, patience: float) -> bool:
        """Ask the agent to stop its turn. Return whether it confirmed within ``patience`` seconds."""
        try:
            await asyncio.wait_for(self._client.interrupt(), patience)
        except (TimeoutError, ClaudeSDKError, OSError):
            return False
        return True

    async def set_permission_mode(self, mode: PermissionMode) -> None:
        """Change the mode, also in a running turn. Raises ``AgentError``."""
        try:
            await asyncio.wait_for(self._client.set_permission_mode(mode), _CONTROL_SECONDS)
        except Exception as exc:  # the SDK raises a bare Exception for a refusal of the CLI
            raise AgentError(f"The permission mode was not changed: {exc!r}") from exc

    async def set_model(self, model: str | None) -> None:
        """Change the model from the next request on. Raises ``AgentError``."""
        try:
            await asyncio.wait_for(self._client.set_model(model), _CONTROL_SECONDS)
        except Exception as exc:  # the SDK raises a bare Exception for a refusal of the CLI
            raise AgentError(f"The model was not changed: {exc!r}") from exc

    async def translations(self) -> AsyncIterator[Translation]:
        """Yield the agent's output until its process ends. Raises ``AgentError`` if it ends with an error."""
        # Not ``receive_messages()``: it drops message and block types that this SDK version does not know.
        frames = self._client._query
        if frames is None:
            raise AgentError("The agent is not connected.")
        try:
            async for frame in frames.receive_messages():
                yield self._translator.translate(frame)
            await self._client.hear_out()
        except (ClaudeSDKError, OSError) as exc:
            await self._client.hear_out()
            raise self._explain(exc) from exc

    async def disconnect(self) -> None:
        """Close an idle agent. Interrupt or kill a busy one first: this would wait 5 s for it."""
        await self._client.disconnect()

    def terminate(self) -> None:
        """Send SIGTERM to the process."""
        if self.pid:
            os_processes.terminate(self.pid, self.started_at)

    def kill(self) -> None:
        """Send SIGKILL to the process and its tools."""
        if self.pid:
            os_processes.kill(self.pid, self.started_at)

    def end_tools(self) -> None:
        """Send SIGKILL to all surviving processes that it started. Takes some hundredths of a second."""
        if self.pid:
            os_processes.end_marked(self._mark)

    def _options(self, ask: Ask, gate: Gate) -> ClaudeAgentOptions:
        spec = self.spec
        handed_on = self._substitute.options()
        return ClaudeAgentOptions(
            cwd=spec.working_directory,
            model=spec.model,
            permission_mode=spec.permission_mode,
            session_id=None if spec.resume else spec.conversation_id,
            resume=spec.conversation_id if spec.resume else spec.fork_of,
            fork_session=spec.fork_of is not None,
            resume_session_at=spec.fork_at,
            # A later process of the session may begin in another mode, and must still be able to change to this one.
            extra_args=handed_on.pop("extra_args")
            | ({"allow-dangerously-skip-permissions": None} if spec.may_bypass else {}),
            max_budget_usd=spec.max_cost_usd,
            max_turns=spec.max_turns,
            system_prompt={"type": "preset", "preset": "claude_code"},
            setting_sources=project.sources(spec, self._settings),
            settings=project.gated(spec, self._settings),
            disallowed_tools=[
                *DISALLOWED_TOOLS,
                *data_folder_guard.rules(self._settings.data_dir, self._settings.database_path),
            ],
            include_partial_messages=True,
            max_buffer_size=MAX_BUFFER_BYTES,
            can_use_tool=can_use_tool(ask),
            hooks={"PreToolUse": [before_tool_use(gate)], "PostToolUse": self._substitute.hooks()},
            stderr=self._stderr.append,
            cli_path=self._settings.claude_cli_path,
            env={
                os_processes.MARK: self._mark,
                "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",
                "CLAUDE_CODE_MAX_RETRIES": str(self._settings.max_retries),
                **handed_on.pop("env"),
            },
            **handed_on,
        )

    def _transport(self) -> Transport | None:
        if self.spec.kind != "demo":
            return None
        return DemoTransport(
            session_id=self.spec.conversation_id,
            cwd=self.spec.working_directory,
            model=self.spec.model,
            permission_mode=self.spec.permission_mode,
            may_bypass=self.spec.may_bypass,
            speed=self._settings.demo_speed,
            earlier_turns=self.spec.prompts_so_far,
            earlier_cost_usd=self.spec.total_cost_usd,
            stderr=self._stderr.append,
        )

    def _explain(self, exc: Exception) -> AgentError:
        """Return the SDK's error as an ``AgentError`` with advice."""
        safe = "Everything up to here is saved."
        said = f"{exc} {self.stderr_tail}"
        # The second: a fork from before a compaction, of which only a summary remains.
        if "No conversation found" in said or "No message found with message.uuid" in said:
            return TranscriptMissing("Claude Code no longer has this conversation.", safe=safe)
        if "is already in use" in self.stderr_tail:
            return ConversationExists("Claude Code has this conversation already.", safe=safe, stderr=self.stderr_tail)
        happened, next_step = self._reason(exc)
        return AgentError(happened, safe=safe, next_step=next_step, stderr=self.stderr_tail)

    def _as_refusal(self, problem: AgentError, exc: Exception) -> AgentError:
        """Return ``ResumeRefused`` if a resume ended for an unknown reason, or else ``problem``."""
        goes_on = self.spec.resume or self.spec.fork_of is not None
        # Larger exit codes are signals.
        if type(problem) is not AgentError or not goes_on or not 0 < (self._exit_code(exc) or 0) < 128:
            return problem
        next_step = "Send it again. Where that fails, too, the agent begins anew, without what it remembers."
        return ResumeRefused(problem.happened, safe=problem.safe, next_step=next_step, stderr=self.stderr_tail)

    def _exit_code(self, exc: Exception) -> int | None:
        return exc.exit_code if isinstance(exc, ProcessError) else self._client.exit_code

    def _reason(self, exc: Exception) -> tuple[str, str]:
        """Return what happened, and advice."""
        exit_code = self._exit_code(exc)
        match exc:
            case CLINotFoundError():
                where = self._settings.claude_cli_path or "the one that comes with claude-agent-sdk"
                next_step = "Install it again, or correct LULU_CLAUDE_CLI_PATH; then send the prompt again."
                return f"Claude Code was not found ({where}).", next_step
            case _ if not Path(self.spec.working_directory).is_dir():
                next_step = "Make the folder again, or start a new session in another one."
                return f"The folder {self.spec.working_directory} is gone.", next_step
            case CLIJSONDecodeError():
                return "The agent sent something unreadable.", "Send a prompt to continue."
            case ProcessError() | CLIConnectionError() if exit_code is not None:
                next_step = "Send a prompt to continue; if it happens again, see Details."
                return f"The agent's process ended with exit code {exit_code}.", next_step
            case CLIConnectionError():
                return f"The agent could not be reached: {exc}", "Send the prompt again."
        return f"The agent failed: {exc}", "Send the prompt again."


def _block(attachment: Attachment) -> dict[str, Any]:
    """Return an API content block for a file: an image, or a text document with its name."""
    if attachment.media_type in IMAGE_TYPES:
        data = base64.b64encode(attachment.content).decode()
        return {"type": "image", "source": {"type": "base64", "media_type": attachment.media_type, "data": data}}
    source = {"type": "text", "media_type": "text/plain", "data": attachment.content.decode()}
    return {"type": "document", "title": attachment.name, "source": source}
