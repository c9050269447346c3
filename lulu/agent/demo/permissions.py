"""Decide whether a call runs, is asked about or is denied: Claude Code's modes and rules in small."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lulu.model.claude_tools import CHECKLIST_TOOLS, EDITING, FOR_A_PERSON, READING, SUB_AGENTS

Verdict = Literal["allow", "ask", "deny"]

#: Tools that only read, or that keep the agent's own notes. They never need permission.
FREE_TOOLS = READING | SUB_AGENTS | CHECKLIST_TOOLS

_READING_COMMAND = re.compile(r"(ls|cat|head|tail|wc|pwd|echo|grep|rg|find|git (status|diff|log|show))\b[^;&|><`$]*")
_EDITING_COMMAND = re.compile(r"(touch|mkdir|rm|mv|cp|sed)\b[^;&|><`$]*")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the session. Without ``content`` it covers the whole tool."""

    tool_name: str
    content: str | None
    behavior: Verdict

    def covers(self, tool_name: str, tool_input: Mapping[str, Any]) -> bool:
        """Whether the rule applies to this call. ``npm run *`` and ``npm run:*`` both mean a prefix."""
        if tool_name != self.tool_name:
            return False
        if self.content is None:
            return True
        subject = _subject(tool_name, tool_input)
        if self.content.endswith((":*", " *")):
            prefix = self.content[:-2]
            return subject == prefix or subject.startswith(prefix + " ")
        return fnmatch.fnmatchcase(subject, self.content)


class Permissions:
    """The mode and the rules of one session."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._rules: list[Rule] = []

    def judge(self, tool_name: str, tool_input: Mapping[str, Any]) -> Verdict:
        """Return the verdict on a call. Deny rules win, then the person's tools, allow rules, the mode.

        In ``dontAsk``, the caller turns "ask" into a denial.
        """
        behaviors = {rule.behavior for rule in self._rules if rule.covers(tool_name, tool_input)}
        if "deny" in behaviors:
            return "deny"
        free = self.mode == "bypassPermissions" or "allow" in behaviors or self._is_free(tool_name, tool_input)
        # An answer is needed in every mode, even in ``bypassPermissions``.
        if free and tool_name not in FOR_A_PERSON and "ask" not in behaviors:
            return "allow"
        return "ask"

    def _is_free(self, tool_name: str, tool_input: Mapping[str, Any]) -> bool:
        if tool_name in FREE_TOOLS:
            return True
        command = str(tool_input.get("command", "")) if tool_name == "Bash" else ""
        if self.mode == "acceptEdits" and (tool_name in EDITING or _EDITING_COMMAND.fullmatch(command)):
            return True
        return bool(_READING_COMMAND.fullmatch(command))

    def update(self, updates: Iterable[Mapping[str, Any]]) -> str | None:
        """Apply the ``updatedPermissions`` of an answer. Return the new mode if they set one."""
        new_mode = None
        for update in updates:
            match update.get("type"):
                case "addRules":
                    self._rules.extend(_rules(update))
                case "replaceRules":
                    kept = [rule for rule in self._rules if rule.behavior != update.get("behavior")]
                    self._rules = kept + _rules(update)
                case "removeRules":
                    removed = _rules(update)
                    self._rules = [rule for rule in self._rules if rule not in removed]
                case "setMode":
                    self.mode = new_mode = str(update.get("mode"))
        return new_mode


def suggestions(tool_name: str, tool_input: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the suggestions that Claude Code would offer as "always allow" for this call."""
    if tool_name in FOR_A_PERSON:
        return []
    if tool_name in EDITING:
        return [{"type": "setMode", "mode": "acceptEdits", "destination": "session"}]
    rule: dict[str, Any] = {"toolName": tool_name}
    if tool_name == "WebFetch":
        rule["ruleContent"] = _subject(tool_name, tool_input)
    elif tool_name == "Bash":
        rule["ruleContent"] = str(tool_input.get("command", ""))
    return [{"type": "addRules", "rules": [rule], "behavior": "allow", "destination": "localSettings"}]


def _rules(update: Mapping[str, Any]) -> list[Rule]:
    behavior = update.get("behavior")
    if behavior not in ("allow", "ask", "deny"):
        return []
    return [
        Rule(tool_name=str(rule.get("toolName")), content=rule.get("ruleContent"), behavior=behavior)
        for rule in update.get("rules") or []
    ]


def _subject(tool_name: str, tool_input: Mapping[str, Any]) -> str:
    if tool_name == "WebFetch":
        host = str(tool_input.get("url", "")).split("://")[-1].split("/")[0]
        return f"domain:{host}"
    return str(tool_input.get("command") or tool_input.get("file_path") or "")
