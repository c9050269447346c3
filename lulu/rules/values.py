"""The values that rules are made of: the rule, the call that is judged, and what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Action = Literal["approve", "deny"]

#: Returns the path with every symbolic link replaced by what it points to; may raise ``OSError`` or ``ValueError``.
Resolve = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of ``auto_approve_rules``. It holds where every one of its limits (session, folder) is met."""

    #: Nothing for a rule that is not stored: one that is being typed.
    id: int | None
    #: As typed; ``parse`` reads it.
    tool_pattern: str
    action: Action
    #: The one session that it holds for.
    session_id: str | None = None
    #: Absolute path; it holds for sessions whose working directory is this folder or below it.
    folder: str | None = None
    enabled: bool = True
    #: The name of who made it.
    created_by: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """What an agent wants to do, and where."""

    tool_name: str
    #: As the agent sent it; nothing in it is trusted to have the right type.
    tool_input: dict[str, Any]
    session_id: str | None
    #: Absolute path of the session's working directory: where relative patterns start.
    folder: str
    #: Absolute path that relative paths in the call start from; nothing means ``folder``.
    cwd: str | None = None
    #: Absolute path of the home folder; nothing means that patterns with ``~`` never match.
    home: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the rules say about a call."""

    action: Action
    #: The rule that decided; of several that approve the parts of one command, the first.
    rule: Rule
    #: One sentence for a person.
    why: str
    #: The other rules that it took to approve every part of a command.
    also: tuple[Rule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How one rule stands to a call."""

    rule: Rule
    #: Whether the rule alone would decide this call.
    matched: bool
    #: One sentence for a person: what it matched, or why not.
    why: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Every rule's part in a decision, for the tester on the Settings page."""

    #: Nothing where no rule decides and a person is asked.
    verdict: Verdict | None
    #: One sentence for a person.
    why: str
    #: In the order of the rules given.
    judged: tuple[Judged, ...]
