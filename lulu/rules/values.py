"""The values of this package: a rule, a tool call, and a decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Action = Literal["approve", "deny"]

#: Returns the path with every symbolic link followed. May raise ``OSError`` or ``ValueError``.
Resolve = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of ``auto_approve_rules``. It applies if the call is within its session and folder."""

    #: None for a rule that is not stored, because it is being typed.
    id: int | None
    #: As typed; ``parse`` reads it.
    tool_pattern: str
    action: Action
    #: The only session that it applies to; None for all.
    session_id: str | None = None
    #: Absolute path: it applies to sessions in this folder or below it; None for all.
    folder: str | None = None
    enabled: bool = True
    #: The name of its author.
    created_by: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A tool call of an agent, with the folders that it is relative to."""

    tool_name: str
    #: As the agent sent it: no value is known to have the right type.
    tool_input: dict[str, Any]
    session_id: str | None
    #: Absolute path of the session's working directory: the start of relative patterns.
    folder: str
    #: Absolute path that relative paths in the call start from; None means ``folder``.
    cwd: str | None = None
    #: Absolute path of the home folder; if None, patterns with ``~`` never match.
    home: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The decision of the rules about a call."""

    action: Action
    #: The rule that decided; the first one if several approve the parts of one command.
    rule: Rule
    #: One sentence for a person.
    why: str
    #: The other rules that were needed to approve every part of a command.
    also: tuple[Rule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The result of one rule for a call."""

    rule: Rule
    #: Whether the rule alone would decide this call.
    matched: bool
    #: One sentence for a person: what it matched, or why it did not.
    why: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The result of every rule, for the tester on the Settings page."""

    #: None if no rule decides, so that a person is asked.
    verdict: Verdict | None
    #: One sentence for a person.
    why: str
    #: In the order of the rules given.
    judged: tuple[Judged, ...]
