"""Evaluates rules for one tool call: the decision, and a sentence for a person about each rule."""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from lulu.errors import InputError
from lulu.model.claude_tools import (
    ALSO_NAMED,
    COMMAND_TOOLS,
    EDIT_RULES,
    EDITING,
    FILE_TOOLS,
    FOR_A_PERSON,
    PRIMARY_FIELD,
    READ_RULES,
    READING,
    SUB_AGENTS,
)
from lulu.rules.hosts import plain_host, possible_hosts
from lulu.rules.paths import Paths, Target, file_targets
from lulu.rules.patterns import Pattern, parse
from lulu.rules.shell.approval import Need, approves_part, doubts, needs, unnamed
from lulu.rules.shell.commands import Commands, denies, read_commands
from lulu.rules.values import Explanation, Judged, Resolve, Rule, ToolCall, Verdict

#: Characters of a command in a sentence.
_SHOWN = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class _Match:
    """The result of one rule: the needs that it meets, and one sentence."""

    why: str
    #: Indexes into the call's list of needs; all of them if the rule alone decides.
    met: frozenset[int] = frozenset()


def real_path(path: str) -> str:
    """Return the path with every symbolic link followed. Nothing else here uses the file system."""
    return os.path.realpath(path)


def decide(rules: Iterable[Rule], call: ToolCall, *, resolve: Resolve = real_path) -> Verdict | None:
    """Return the decision of the rules; None if a person has to be asked.

    Any deny rule wins. A command may need several approve rules, one for each of its parts. ``resolve`` follows
    symbolic links. A path that it cannot follow is not approved.
    """
    return _Judge(call, resolve).explain(list(rules)).verdict


def explain(rules: Iterable[Rule], call: ToolCall, *, resolve: Resolve = real_path) -> Explanation:
    """Return the decision together with the result of each rule."""
    return _Judge(call, resolve).explain(list(rules))


class _Judge:
    """Evaluates one call. It is parsed at most once, for any number of rules."""

    def __init__(self, call: ToolCall, resolve: Resolve) -> None:
        self._call = call
        self._paths = Paths(call, resolve)

    def explain(self, rules: list[Rule]) -> Explanation:
        judged: list[Judged] = []
        denying: list[Judged] = []
        approving: list[tuple[Rule, _Match]] = []
        unreadable = False
        for rule in rules:
            match = self._against(rule)
            everything = rule.action == "deny" or len(match.met) == len(self._needs)
            judged.append(Judged(rule=rule, matched=bool(match.met) and everything, why=match.why))
            if match.met and rule.action == "deny":
                denying.append(judged[-1])
            elif match.met:
                approving.append((rule, match))
            unreadable = unreadable or (rule.action == "deny" and match is _UNREADABLE)
        verdict = self._verdict(denying, approving)
        if verdict and verdict.action == "approve" and unreadable:
            verdict, why = None, "A deny rule cannot be read, so nothing is approved without a person."
        else:
            why = verdict.why if verdict else self._undecided(approving)
        return Explanation(verdict=verdict, why=why, judged=tuple(judged))

    def _verdict(self, denying: list[Judged], approving: list[tuple[Rule, _Match]]) -> Verdict | None:
        if denying:
            return Verdict(action="deny", rule=denying[0].rule, why=denying[0].why)
        wanted = frozenset(range(len(self._needs)))
        for rule, match in approving:
            if match.met == wanted:
                return Verdict(action="approve", rule=rule, why=match.why)
        met: frozenset[int] = frozenset()
        used: list[Rule] = []
        for rule, match in approving:
            if not match.met <= met:
                met |= match.met
                used.append(rule)
        if met != wanted:
            return None
        names = ", ".join(rule.tool_pattern for rule in used[:3]) + (", …" if len(used) > 3 else "")
        why = f"Together the rules {names} approve every part of this command."
        return Verdict(action="approve", rule=used[0], also=tuple(used[1:]), why=why)

    def _undecided(self, approving: list[tuple[Rule, _Match]]) -> str:
        met = frozenset[int]().union(*(match.met for _, match in approving))
        left = [need.shown for at, need in enumerate(self._needs) if at not in met]
        if met and left:
            return f"No rule approves {_quoted(left[0])}."
        return "No rule matches."

    def _against(self, rule: Rule) -> _Match:
        """Return the result of one rule. It meets no need if it does not apply or does not match."""
        deny = rule.action == "deny"
        if not rule.enabled:
            return _Match(why="It is switched off.")
        if rule.session_id is not None and rule.session_id != self._call.session_id:
            return _Match(why="It holds for another session.")
        if rule.folder is not None and not self._paths.below(self._call.folder, rule.folder, deny=deny):
            return _Match(why=f"It holds for the folder {rule.folder}; this session works in {self._call.folder}.")
        try:
            pattern = parse(rule.tool_pattern)
        except InputError:
            return _UNREADABLE
        if not self._speaks_of(pattern, deny=deny):
            return _Match(why=f"It is about {pattern.tool_name}, not {self._call.tool_name}.")
        if not deny and self._call.tool_name in FOR_A_PERSON:
            return _Match(why="Questions and plans are always put to a person.")
        if deny:
            found = self._denied_by(rule, pattern)
            everything = frozenset(range(len(self._needs)))
            return _Match(why=found[1], met=everything if found[0] else frozenset())
        return self._approved_by(rule, pattern)

    # Tools

    def _speaks_of(self, pattern: Pattern, *, deny: bool) -> bool:
        name = self._call.tool_name
        if self._named(pattern, name):
            return True
        # A rule for commands approves a monitor that runs a command, not one that opens a connection.
        alias = deny or name != "Monitor" or self._primary is not None
        if alias and any(self._named(pattern, other) for other in ALSO_NAMED.get(name, ())):
            return True
        if pattern.kind != "path":
            return False
        tool = pattern.tool_name
        if name in COMMAND_TOOLS:
            # A command may open files: by `>` or by its arguments.
            return tool in READ_RULES + EDIT_RULES
        if (tool == "Edit" and name in EDITING) or (tool == "Read" and name in READING):
            return True
        return deny and tool == "Read" and name in EDITING

    def _named(self, pattern: Pattern, name: str) -> bool:
        tool = pattern.tool_name
        if tool == name or ("*" in tool and pattern.tool.matches(name)):
            return True
        whole_server = tool.startswith("mcp__") and "__" not in tool[5:] and "*" not in tool
        return whole_server and name.startswith(f"{tool}__")

    # To deny

    def _denied_by(self, rule: Rule, pattern: Pattern) -> tuple[bool, str]:
        """Return whether a deny pattern matches any part of the call, and a sentence about it."""
        # To deny, `Write(*)` means `Write`, not only paths below the session's folder.
        anything = pattern.path is not None and pattern.path.anything and self._commands is None
        if pattern.everything or anything:
            return True, f"The rule {pattern.text} denies every call of {self._call.tool_name}."
        if pattern.field:
            name, value = pattern.field
            given = _scalar(self._call.tool_input.get(name))
            if given is not None and value.matches(given):
                return True, f"The rule {pattern.text} denies it: {name} is {_quoted(given)}."
        found: str | None = None
        match pattern.kind:
            case "command":
                found = self._denied_command(pattern)
            case "path":
                found = self._denied_path(rule, pattern)
            case "host":
                host = pattern.host
                found = next(
                    (each for each in possible_hosts(self._primary or "") if host and host.matches(each)),
                    None,
                )
            case "text":
                found = next((each for each in self._texts if pattern.glob and pattern.glob.matches(each)), None)
            case "tool":
                pass
        if found is None:
            return False, "It speaks of this tool, but nothing in the call matches it."
        return True, f"The rule {pattern.text} denies it: it matches {_quoted(found)}."

    def _denied_command(self, pattern: Pattern) -> str | None:
        if pattern.glob is None or self._commands is None:
            text = self._primary
            return text if text is not None and pattern.glob and pattern.glob.matches(text) else None
        for candidate in self._commands.candidates:
            if denies(pattern.glob, candidate):
                return candidate.text
        return None

    def _denied_path(self, rule: Rule, pattern: Pattern) -> str | None:
        if pattern.path is None:
            return None
        if self._commands is None:
            for target in self._targets:
                if self._paths.touches(pattern.path, rule.folder, target):
                    return target.path
            return None
        for word in self._commands.files:
            target = Target(path=word.text, globbed=word.globbed)
            concerned = word.writes or pattern.tool_name == "Read"
            if concerned and self._paths.touches(pattern.path, rule.folder, target, word.folders):
                return word.text
        return None

    # To approve

    def _approved_by(self, rule: Rule, pattern: Pattern) -> _Match:
        everything = frozenset(range(len(self._needs)))
        if pattern.everything and self._is_delicate(pattern):
            return _Match(why=f"It does not name {_quoted(self._shown)}, which tells programs what to do.")
        if pattern.everything:
            return _Match(why=f"The rule {pattern.text} approves every call of {self._call.tool_name}.", met=everything)
        if self._commands is not None:
            return self._approved_command(rule, pattern)
        met = False
        match pattern.kind:
            case "command":
                # Lulu cannot parse PowerShell, so only the exact command is approved.
                met = pattern.glob is not None and self._primary is not None and pattern.glob.exact == self._primary
            case "path":
                writes = self._call.tool_name in EDITING
                met = bool(self._targets) and self._covered(rule, pattern, self._targets, writes=writes)
            case "host":
                met = self._approved_host(pattern)
            case "text":
                met = self._primary is not None and pattern.glob is not None and pattern.glob.matches(self._primary)
            case "tool":
                return _Match(why="Only deny rules can look at a single field.")
        if met:
            return _Match(why=f"The rule {pattern.text} approves {_quoted(self._shown)}.", met=everything)
        return _Match(why=f"It does not approve {_quoted(self._shown)}.")

    def _is_delicate(self, pattern: Pattern) -> bool:
        """Whether a rule for every call of an editing tool meets a file that a rule has to name."""
        editing = self._call.tool_name in EDITING and pattern.tool_name != "*"
        return editing and any(self._paths.is_delicate(target) for target in self._targets)

    def _covered(self, rule: Rule, pattern: Pattern, targets: Iterable[Target], *, writes: bool) -> bool:
        return pattern.path is not None and all(
            self._paths.covers(pattern.path, rule.folder, target, writes=writes)
            for target in targets
            if not target.suspected
        )

    def _approved_host(self, pattern: Pattern) -> bool:
        host = plain_host(self._primary or "")
        return host is not None and pattern.host is not None and pattern.host.matches(host)

    def _approved_command(self, rule: Rule, pattern: Pattern) -> _Match:
        everything = frozenset(range(len(self._needs)))
        glob = pattern.glob if pattern.kind == "command" else None
        if glob and glob.exact == (self._primary or "").strip():
            return _Match(why=f"The rule {pattern.text} approves exactly this command.", met=everything)
        if self._doubts:
            return _Match(why=f"It cannot approve this command: {self._doubts[0]}.")
        met = frozenset(at for at, need in enumerate(self._needs) if self._meets(rule, pattern, need))
        if met == everything:
            return _Match(why=f"The rule {pattern.text} approves {_quoted(self._shown)}.", met=met)
        left = next(need for at, need in enumerate(self._needs) if at not in met)
        also = f"; it does approve {_quoted(self._needs[min(met)].shown)}" if met else ""
        risky = unnamed(glob, left) if glob and any(glob.matches(form.text) for form in left.forms) else None
        if risky is not None:
            also = f", for it does not name {_quoted(risky)}, which may write, run or send something{also}"
        return _Match(why=f"It does not approve {_quoted(left.shown)}{also}.", met=met)

    def _meets(self, rule: Rule, pattern: Pattern, need: Need) -> bool:
        if need.part is not None:
            return pattern.glob is not None and approves_part(pattern.glob, need)
        if pattern.glob and self._approves_with_files(pattern, need):
            return True
        wanted = EDIT_RULES if need.writes else READ_RULES
        targets = [Target(path=need.file)]
        return pattern.tool_name in wanted and self._covered(rule, pattern, targets, writes=need.writes)

    def _approves_with_files(self, pattern: Pattern, need: Need) -> bool:
        """Whether an exact pattern matches the command, files included."""
        return need.owner is not None and pattern.glob is not None and pattern.glob.exact == need.owner.written

    # The call

    @cached_property
    def _primary(self) -> str | None:
        value = self._call.tool_input.get(PRIMARY_FIELD.get(self._call.tool_name, ""))
        return value if isinstance(value, str) else None

    @cached_property
    def _texts(self) -> list[str]:
        """Return the texts that a deny specifier may mean, for a tool without a syntax of its own."""
        name = self._call.tool_name
        if name in PRIMARY_FIELD:
            usual = "general-purpose" if name in SUB_AGENTS else None
            text = self._primary or usual
            return [] if text is None else [text]
        return [value for value in self._call.tool_input.values() if isinstance(value, str)]

    @cached_property
    def _shown(self) -> str:
        return self._primary or self._call.tool_name

    @cached_property
    def _commands(self) -> Commands | None:
        if self._call.tool_name not in COMMAND_TOOLS:
            return None
        return read_commands(self._primary or "")

    @cached_property
    def _needs(self) -> list[Need]:
        whole = [Need(shown=self._shown)]
        if self._commands is None or self._doubts:
            return whole
        return needs(self._commands.script)

    @cached_property
    def _doubts(self) -> list[str]:
        if self._commands is None:
            return []
        return doubts(self._primary or "", self._commands.script, self._paths.inside)

    @cached_property
    def _targets(self) -> list[Target]:
        name = self._call.tool_name
        return file_targets(name, self._call.tool_input) if name in FILE_TOOLS else []


_UNREADABLE = _Match(why="Its pattern cannot be read; edit it or delete it.")


def _scalar(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line if len(line) <= _SHOWN else line[:_SHOWN] + '…'}”"
