"""Parses the pattern of a rule: its tool, and its condition for the call.

Follows Claude Code's rule syntax (https://code.claude.com/docs/en/permissions). Where Lulu differs:

- ``*`` and ``Read*`` may approve too (Claude Code takes stars in tool names only to deny).
- ``Write(path)``, ``Glob(path)`` … hold for that one tool (Claude Code accepts them and never looks at them).
- ``/path`` starts at the rule's folder, where it has one, else at the session's.
- ``../path`` starts one folder up.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lulu.errors import InputError
from lulu.model.claude_tools import FILE_TOOLS, KNOWN, PRIMARY_FIELD, SHELL_TOOLS
from lulu.rules.hosts import HostGlob, host_glob
from lulu.rules.path_globs import PathGlob, path_glob
from lulu.rules.text_globs import TextGlob, text_glob

#: Longer patterns are refused: a person cannot judge them.
MAX_PATTERN = 2000

_TOOL = re.compile(r"[\w*@.:/-]+")
#: An address such as https://… is no field.
_FIELD = re.compile(r"([A-Za-z_]\w*)\s*:\s*(?!//)(.*)", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", re.DOTALL)
#: Invisible characters that change the direction of a line. A pattern with one may look like another.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Kind = Literal["tool", "command", "path", "host", "text"]


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A parsed pattern."""

    #: As typed, without spaces around it.
    text: str
    #: The tool's name; it may contain ``*`` if there is no specifier.
    tool: TextGlob
    #: The kind of the specifier; ``tool`` if there is none and every call matches.
    kind: Kind = "tool"
    #: For ``command`` and ``text``.
    glob: TextGlob | None = None
    #: For ``path``.
    path: PathGlob | None = None
    #: For ``host``.
    host: HostGlob | None = None
    #: ``Tool(field:value)``: one field of the input and its value. For deny rules only.
    field: tuple[str, TextGlob] | None = None

    @property
    def tool_name(self) -> str:
        """The tool as typed."""
        return "*".join(self.tool.pieces)

    @property
    def everything(self) -> bool:
        """Whether it matches every call of its tool."""
        return self.kind == "tool" and self.field is None


@lru_cache(maxsize=2048)
def parse(pattern: str) -> Pattern:
    """Parse a pattern. Raises ``InputError`` with advice for the person."""
    if len(pattern) > MAX_PATTERN:
        raise _refused(f"The pattern is longer than {MAX_PATTERN:,} characters.", "Use * for the part that may vary.")
    text = pattern.strip()
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or sign in _DIRECTIONS for sign in text):
        raise _refused("The pattern has a line break or another control character.", "Type it on one line.")
    name, parenthesis, rest = text.partition("(")
    name = name.strip()
    if not text:
        raise _refused("The pattern is empty.", "Type a tool's name, or * for every tool.")
    if ")" in name or (parenthesis and not rest.endswith(")")):
        raise _refused(
            "The parentheses of the pattern do not match.", "Write it like this: Bash(git diff *) or Read(src/**)."
        )
    if not name or not _TOOL.fullmatch(name):
        raise _refused(
            f"“{_shown(name)}” is not the name of a tool." if name else "There is no tool before the parentheses.",
            "Write it like this: Bash(git diff *), Read* or mcp__server__tool.",
        )
    _check_name(name)
    if not parenthesis:
        return Pattern(text=text, tool=text_glob(name, escapes=False))
    if "*" in name:
        raise _refused("A pattern with parentheses needs the whole name of a tool.", "Write one rule for each tool.")
    specifier = rest[:-1].strip()
    if not specifier:
        raise _refused("There is nothing between the parentheses.", f"For every call of the tool, write {name}.")
    if not _balanced(specifier):
        raise _refused(
            "The parentheses of the pattern do not match.", "Write \\( for a parenthesis that is part of a file's name."
        )
    return _with_specifier(text, name, specifier)


def _with_specifier(text: str, name: str, specifier: str) -> Pattern:
    tool = text_glob(name, escapes=False)
    found = _FIELD.fullmatch(specifier)
    primary = PRIMARY_FIELD.get(name)
    if found and found[1] == primary and name in FILE_TOOLS | SHELL_TOOLS | {"WebFetch"}:
        instead = f"{name}(domain:example.org)" if name == "WebFetch" else f"{name}({found[2]})"
        raise _refused(f"The field “{primary}” cannot be named in a pattern.", f"Write {_shown(instead)}.")
    field = (found[1], text_glob(found[2].strip(), escapes=False)) if found and found[2].strip() else None
    if name == "WebFetch":
        if field and field[0] == "domain":
            return Pattern(text=text, tool=tool, kind="host", host=host_glob(specifier.partition(":")[2].strip()))
        if field is None:
            raise _refused("WebFetch is limited by domain.", "Write it like this: WebFetch(domain:example.org).")
        return Pattern(text=text, tool=tool, field=field)
    if name in FILE_TOOLS:
        return Pattern(text=text, tool=tool, kind="path", path=path_glob(specifier), field=field)
    if specifier == "*":
        return Pattern(text=text, tool=tool)
    if name in SHELL_TOOLS:
        command = f"{specifier[:-2]} *" if specifier.endswith(":*") else specifier
        return Pattern(text=text, tool=tool, kind="command", glob=text_glob(command, ends_word=True), field=field)
    return Pattern(text=text, tool=tool, kind="text", glob=text_glob(specifier, ends_word=True), field=field)


def _check_name(name: str) -> None:
    meant = {known.lower(): known for known in KNOWN}.get(name.lower())
    if meant and meant != name:
        raise _refused(f"There is no tool “{name}”.", f"Tools' names have capitals: write {meant}.")


def _balanced(specifier: str) -> bool:
    """Whether parentheses match, outside of quotes or counting all: an apostrophe may be no quote."""
    return _closes(_QUOTED.sub("", specifier)) or _closes(re.sub(r"\\.", "", specifier))


def _closes(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0


def _shown(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def _refused(happened: str, next_step: str) -> InputError:
    return InputError(happened, safe="No rule was changed.", next_step=next_step)
