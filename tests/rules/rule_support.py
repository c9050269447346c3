"""Short ways to write rules and calls."""

from __future__ import annotations

from typing import Any

from lulu.rules import Rule, ToolCall, decide

HOME = "/home/ada"
FOLDER = "/home/ada/project"


def unlinked(path: str) -> str:
    """A file system without links."""
    return path


def call(tool: str = "Bash", given: str | dict[str, Any] = "", **where: Any) -> ToolCall:
    """A call in ``FOLDER``; a text stands for the tool's own field."""
    fields = {"Bash": "command", "Monitor": "command", "PowerShell": "command", "WebFetch": "url", "Skill": "skill"}
    fields |= {"Agent": "subagent_type", "Task": "subagent_type", "NotebookEdit": "notebook_path", "Grep": "path"}
    tool_input = given if isinstance(given, dict) else {fields.get(tool, "file_path"): given}
    return ToolCall(
        **{
            "tool_name": tool,
            "tool_input": tool_input,
            "session_id": "s1",
            "folder": FOLDER,
            "home": HOME,
            **where,
        }
    )


def rule(pattern: str, action: str = "approve", **limits: Any) -> Rule:
    """A rule that holds everywhere unless ``limits`` say otherwise."""
    return Rule(**{"id": 1, "tool_pattern": pattern, "action": action, **limits})


def verdict(rules: list[Rule], judged: ToolCall) -> str | None:
    """``approve``, ``deny`` or nothing."""
    found = decide(rules, judged, resolve=unlinked)
    return found.action if found else None


def approves(patterns: str | list[str], judged: ToolCall) -> bool:
    """Whether approve rules with these patterns approve the call."""
    listed = [patterns] if isinstance(patterns, str) else patterns
    return verdict([rule(pattern) for pattern in listed], judged) == "approve"


def denies(pattern: str, judged: ToolCall) -> bool:
    """Whether a deny rule with this pattern denies the call."""
    return verdict([rule(pattern, "deny")], judged) == "deny"
