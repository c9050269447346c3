"""Auto-approve rules: whole tools for now, by name, prefix or star."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from lulu.errors import InputError
from lulu.rules.values import Rule, ToolCall, Verdict

__all__ = ["Rule", "ToolCall", "Verdict", "decide", "parse"]


def parse(pattern: str) -> str:
    """The pattern, if it can be read. Raises ``InputError``."""
    if not pattern.replace("*", "a").replace("_", "a").isalnum():
        raise InputError(f"{pattern[:100]!r} is not a tool's name.", next_step="Write a name, Read* or *.")
    return pattern


def decide(rules: Iterable[Rule], call: ToolCall) -> Verdict | None:
    """The verdict of the rules that match; deny wins."""
    found = [
        rule
        for rule in rules
        if rule.enabled
        and rule.session_id in (None, call.session_id)
        and rule.folder in (None, call.folder)
        and fnmatch.fnmatchcase(call.tool_name, rule.tool_pattern)
    ]
    for rule in sorted(found, key=lambda rule: rule.action != "deny"):
        return Verdict(action=rule.action, rule=rule, why=f"the rule {rule.tool_pattern} matches")
    return None
