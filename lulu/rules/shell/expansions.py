"""Expands braces, parameters and escapes as bash does, from the command alone. For deny rules only."""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Iterator

#: Most words that one word is expanded to.
MOST_BRACES = 1_000
_LONG = 2_000

_PARAMETER = re.compile(r"([!#]?)([A-Za-z_]\w*|[0-9@*#?$!_-])(?:\[[^\]]*\])?(.*)", re.ASCII | re.DOTALL)
_DEFAULT = re.compile(r":?([-=+?])(.*)", re.DOTALL)
_QUOTES = re.compile(r"['\"\\]")
_SLICE = re.compile(r":\s*(\d+)(?::\s*(-?\d+))?")
_SEQUENCE = re.compile(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.-?\d+)?")
_CODED = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|0?[0-7]{1,3}|c.|.)", re.DOTALL)
_FIELD = re.compile(r"%[-+ #0-9.]*[A-Za-z]")
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\033", "E": "\033", "f": "\f", "v": "\v"}


def braces(text: str) -> list[str]:
    """Return the words of ``{a,b}c`` or ``{a..c}``; the text itself if it has no expansion."""
    found = list(itertools.islice(_braces(text, 8), MOST_BRACES))
    return found or [text]


def _braces(text: str, depth: int) -> Iterator[str]:
    start = text.find("{")
    while start >= 0 and depth:
        pieces, end = _pieces(text, start)
        if pieces:
            for piece in pieces:
                for inside in _braces(piece, depth - 1):
                    for rest in _braces(text[end:], depth - 1):
                        yield text[:start] + inside + rest
            return
        if not end and len(text) - start > _LONG:
            # The brace is not closed, and looking for the end of each further one would take too long.
            break
        start = text.find("{", start + 1)
    yield text


def _pieces(text: str, start: int) -> tuple[list[str], int]:
    """Return the texts between the commas of a brace, and its end; empty if it is no expansion."""
    depth, pieces, at = 0, [start + 1], start
    for at in range(start, min(len(text), start + 10 * _LONG)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 1 and text[at] == ",":
            pieces.append(at + 1)
        if depth == 0:
            break
    if depth:
        return [], 0
    inside = [text[begin : end - 1] for begin, end in itertools.pairwise([*pieces, at + 1])]
    sequence = _SEQUENCE.fullmatch(inside[0]) if len(inside) == 1 else None
    if sequence:
        inside = _sequence(sequence[1], sequence[2])
    return (inside if len(inside) > 1 or sequence else []), at + 1


def _sequence(first: str, last: str) -> list[str]:
    if first.isalpha() != last.isalpha():
        return []
    begin, end = (ord(first), ord(last)) if first.isalpha() else (int(first[:9]), int(last[:9]))
    step = 1 if end >= begin else -1
    codes = itertools.islice(range(begin, end + step, step), MOST_BRACES)
    return [chr(code) if first.isalpha() else str(code) for code in codes]


def parameter(inside: str, values: dict[str, str]) -> str:
    """Return the value of ``${inside}`` from ``values``; empty if unknown. ``${X:=y}`` sets it."""
    found = _PARAMETER.fullmatch(inside)
    if found is None:
        return ""
    sign, name, operation = found.groups()
    value = values.get(name, "")
    if sign == "!":
        value = values.get(value, "")
    default = _DEFAULT.fullmatch(operation)
    if default:
        other = _QUOTES.sub("", default[2])
        if default[1] == "=" and not value:
            values[name] = other
        return value or other
    return _changed(value, operation) if value and operation else value


def _changed(value: str, operation: str) -> str:
    if cut := _SLICE.match(operation):
        start, length = int(cut[1][:9]), cut[2]
        return value[start:] if length is None else value[start:][: int(length[:9])]
    if operation[0] in "^,":
        changed = value.upper() if operation[0] == "^" else value.lower()
        return changed if operation[:2] in ("^^", ",,") else changed[:1] + value[1:]
    if operation[0] in "#%":
        pattern, longest = operation.lstrip("#%"), operation[:2] in ("##", "%%")
        ends = range(len(value) + 1)
        if operation[0] == "#":
            cuts = [value[end:] for end in ends if fnmatch.fnmatchcase(value[:end], pattern)]
            return cuts[-1 if longest else 0] if cuts else value
        cuts = [value[:end] for end in ends if fnmatch.fnmatchcase(value[end:], pattern)]
        return cuts[0 if longest else -1] if cuts else value
    if operation[0] == "/":
        old, _, new = operation.lstrip("/").partition("/")
        return value.replace(old, new, -1 if operation[:2] == "//" else 1) if old else value
    return value


def decoded(text: str) -> str:
    r"""Return a text with escapes such as ``\x72`` decoded, as ``$'…'`` and ``printf`` do."""
    return _CODED.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else ""
    if code[0] in "01234567":
        return chr(int(code, 8))
    if code[0] == "c" and len(code) > 1:
        return chr(ord(code[1]) & 0x1F)
    return _SIGNS.get(code, code)


def printed(texts: list[str]) -> str:
    """Return the output of a command such as ``echo`` or ``which``; empty for any other command."""
    name = texts[0].rpartition("/")[2] if texts else ""
    plain = [text for text in texts[1:] if not re.fullmatch(r"-[A-Za-z]+|--", text)]
    match name:
        case "echo" | "print":
            return decoded(" ".join(plain))
        case "printf" if plain:
            filled, *rest = plain
            for text in rest:
                begin, _, end = _FIELD.sub("\0", filled, count=1).partition("\0")
                filled = begin + text + end
            return decoded(filled)
        case "which" | "command" | "type" | "whence" | "where" | "realpath" | "readlink" | "basename" if plain:
            return plain[0]
    return ""
