"""Values for starting an agent and for its requests. They do not need the SDK, a slow import."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lulu.errors import AgentError
from lulu.model.claude_tools import ELICITATION as ELICITATION
from lulu.settings import PermissionMode


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """The settings of an agent process."""

    #: The session of the process.
    session_id: str = ""
    #: ``claude`` or ``demo``.
    kind: str
    working_directory: str
    model: str | None
    permission_mode: PermissionMode
    #: The conversation's id: a new one to begin, or the one to resume.
    conversation_id: str
    resume: bool
    #: Whether the folder's own settings apply, because its owner trusts it.
    trusts_folder: bool = False
    #: The conversation that a fork continues, and the last message that it shares (``None`` means all).
    fork_of: str | None = None
    fork_at: str | None = None
    #: The SDK's limits: US dollars of the whole session, and steps (round trips to the model) of one prompt.
    max_cost_usd: float | None = None
    max_turns: int | None = None
    #: Whether the mode can change to bypassing permissions, because the session was launched with it.
    may_bypass: bool = False
    #: The cost of the conversation so far (US dollars), and the number of its prompts.
    total_cost_usd: float = 0.0
    prompts_so_far: int = 0


class TranscriptMissing(AgentError):
    """Claude Code has no session file under this id any more."""


class ResumeRefused(AgentError):
    """Claude Code ended while resuming or forking a conversation, for an unknown reason."""


class ConversationExists(AgentError):
    """Claude Code already has a session file under the id for a new conversation."""


@dataclass(frozen=True, kw_only=True)
class PermissionRequest:
    """A request of an agent to use a tool."""

    #: A new id of Lulu's: the row in ``approvals``.
    id: str
    tool_use_id: str | None
    #: The sub-agent that asks, or ``None``.
    agent_id: str | None
    tool_name: str
    tool_input: dict[str, Any]
    #: Claude Code's suggestions for "don't ask again", unchanged.
    suggestions: list[dict[str, Any]]
    #: The reason, in Claude Code's words.
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class PermissionAnswer:
    """The answer of a person or a rule."""

    allow: bool
    #: The message to the agent with a denial.
    message: str | None = None
    #: The input to use instead of the requested one.
    updated_input: dict[str, Any] | None = None
    #: The permission mode from now on.
    mode: PermissionMode | None = None


#: Asks, and waits without limit. Cancelled when the agent withdraws the request.
Ask = Callable[[PermissionRequest], Awaitable[PermissionAnswer]]
#: Returns the reason to deny a call, or ``None``. Called first for every tool call, with the tool's name and input, the
#: call's id, and the agent's current folder.
Gate = Callable[[str, dict[str, Any], str | None, str | None], Awaitable[str | None]]
