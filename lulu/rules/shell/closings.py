"""Finds the ends of ``$(…)``, ``${…}``, ``$[…]`` and ``((…))``, for bash and for other shells."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEREDOC = re.compile(r"<<-?[ \t]*\\?(['\"]?)([\w.-]+)\1")
_ANSI_QUOTED = re.compile(r"\$'(?:[^'\\]|\\.)*(?:'|$)", re.DOTALL)
_BACKTICKS = re.compile(r"`(?:[^`\\]|\\.)*(?:`|$)", re.DOTALL)
#: Signs that shells may read differently.
DOUBTFUL = re.compile(r"['\"{#\\]|<<")
#: Characters without a meaning of their own.
_PLAIN = re.compile(r"[^\\'\"`$(){}\[\]<#]+")
#: Characters before the beginning of a word.
_BEFORE_WORD = frozenset(" \t\n;&|()")


#: Most searches for the end of a heredoc: each may run to the end of the command.
_SEARCHES = 20


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """One way to read the signs that differ between shells or places in a command."""

    #: Whether an apostrophe in ``"${…}"`` is a quote.
    quotes_inside: bool = False
    #: Whether an apostrophe in ``((…))`` is a quote.
    quotes: bool = True
    #: Whether ``{`` in ``${…}`` needs its own ``}``.
    braces: bool = False
    #: Whether ``#`` in ``$(…)`` begins a comment, and ``<<`` a heredoc.
    comments: bool = True


_BASH = _Reading()
_OTHERS = (_Reading(quotes_inside=True), _Reading(braces=True))
#: ``$((`` may begin a number or commands.
_OF_NUMBERS = (_Reading(comments=False), _Reading(comments=False, quotes=False))


def closing(text: str, at: int, sign: str) -> int:
    """Return the position where bash closes what opens before ``at``; the length if nowhere.

    ``sign`` is the closing ``)``, ``]`` or ``}``. It is ``q`` for a brace that opens inside double quotes, and ``a``
    for the first of the two parentheses that end ``((…))``.
    """
    return _end(text, at, sign, _BASH)


def other_closings(text: str, at: int, sign: str, end: int) -> set[int]:
    """Return the other positions where a shell may close it; the length if nowhere."""
    if not DOUBTFUL.search(text, at, end):
        return set()
    numbers = sign == "a" or (sign == ")" and text.startswith("(", at))
    return {_end(text, at, sign, each) for each in _OTHERS + (_OF_NUMBERS if numbers else ())} - {end}


def _end(text: str, at: int, sign: str, reading: _Reading) -> int:
    """Return the position of the closing sign; ``opened`` is the stack of expected signs."""
    opened, searches = [sign], 0
    while at < len(text):
        top = opened[-1]
        if top == ")" and text[at] == "<" and reading.comments and searches < _SEARCHES:
            found = _HEREDOC.match(text, at)
            searches += found is not None
            at = _behind_heredoc(text, found) if found else at + 1
            continue
        if skipped := _skipped(text, at, top, reading):
            at = skipped
            continue
        each = text[at]
        if (each == '"' == top) or each == {"q": "}", "a": ")"}.get(top, top):
            opened.pop()
            if not opened:
                return at
        elif each == "$" and text[at + 1 : at + 2] in ("(", "{", "["):
            at += 1
            if text.startswith("((", at):
                at += 1
                opened.append(")")
                opened.append("a")
            else:
                inside = "q" if top in '"q' else "}"
                opened.append({"(": ")", "{": inside, "[": "]"}[text[at]])
        elif each == '"':
            opened.append('"')
        elif (
            (each == "(" and top in ")a")
            or (each == "[" and top == "]")
            or (each == "{" and top in "}q" and reading.braces)
        ):
            opened.append(top)
        at += 1
    return len(text)


def _skipped(text: str, at: int, top: str, reading: _Reading) -> int:
    """Return the position behind a quote, a comment or plain text; 0 if none begins here.

    ``top`` is the innermost sign that is expected.
    """
    each = text[at]
    quotes = {")": True, "}": True, "q": reading.quotes_inside, "a": reading.quotes}.get(top, False)
    if each == "\\":
        return at + 2
    if each == "`" and (found := _BACKTICKS.match(text, at)):
        return found.end()
    if each == "$" and quotes and (found := _ANSI_QUOTED.match(text, at)):
        return found.end()
    if each == "'" and quotes:
        end = text.find("'", at + 1)
        return end + 1 if end >= 0 else len(text)
    if top == ")" and each == "#" and reading.comments and text[at - 1] in _BEFORE_WORD:
        end = text.find("\n", at)
        return end if end >= 0 else len(text)
    plain = _PLAIN.match(text, at)
    return plain.end() if plain else 0


def _behind_heredoc(text: str, found: re.Match[str]) -> int:
    end_line = re.compile(rf"\n[ \t]*{re.escape(found[2])}[ \t]*(?=[\n)])").search(text, found.end())
    return end_line.end() if end_line else found.end()
