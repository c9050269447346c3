"""What an agent asks of people, and what it is started with: values without the SDK, which takes a second to import."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lulu.errors import AgentError
from lulu.settings import PermissionMode

#: The name under which a question of an MCP server is asked; no tool has it.
ELICITATION = "Elicitation"


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """What an agent process is started with."""

    #: The session that it works for.
    session_id: str = ""
    #: ``claude`` or ``demo``.
    kind: str
    working_directory: str
    model: str | None
    permission_mode: PermissionMode
    #: The conversation's id: a new one to begin, or the one to resume.
    conversation_id: str
    resume: bool
    #: Whether the folder's own settings apply: its owner trusts what it brings.
    trusts_folder: bool = False
    #: The conversation that a new one goes on from, and the message up to which (nothing means its end).
    fork_of: str | None = None
    fork_at: str | None = None
    #: The SDK's own limits: US dollars of the whole session, and round trips of one prompt.
    max_cost_usd: float | None = None
    max_turns: int | None = None
    #: Whether it can be changed to bypass permissions: it was launched so.
    may_bypass: bool = False
    #: What the conversation has cost so far (US dollars), and how many prompts it has had.
    total_cost_usd: float = 0.0
    prompts_so_far: int = 0


class TranscriptMissing(AgentError):
    """Claude Code has no transcript under this id any more."""


class ResumeRefused(AgentError):
    """Claude Code ended where it was to resume or fork a conversation, for a reason that Lulu does not know."""


class ConversationExists(AgentError):
    """Claude Code has a transcript under the id that a new conversation was to get."""


@dataclass(frozen=True, kw_only=True)
class PermissionRequest:
    """An agent asks to use a tool."""

    #: A fresh id of ours: the row in ``approvals``.
    id: str
    tool_use_id: str | None
    #: The sub-agent that asks.
    agent_id: str | None
    tool_name: str
    tool_input: dict[str, Any]
    #: Claude Code's suggestions for "don't ask again", as it sent them.
    suggestions: list[dict[str, Any]]
    #: Why it asks, in its words.
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class PermissionAnswer:
    """What a person, or a rule, said."""

    allow: bool
    #: Reaches the agent when it is denied.
    message: str | None = None
    #: What runs in place of the input that was asked for.
    updated_input: dict[str, Any] | None = None
    #: The permission mode from here on.
    mode: PermissionMode | None = None


#: Asks and waits as long as it takes; cancelled when the agent withdraws the request.
Ask = Callable[[PermissionRequest], Awaitable[PermissionAnswer]]
#: Whether a call is denied before anything else is asked: the reason, or nothing. Called for every tool call, with the
#: tool's name and input, the call's id, and the folder that the agent is in by now.
Gate = Callable[[str, dict[str, Any], str | None, str | None], Awaitable[str | None]]
