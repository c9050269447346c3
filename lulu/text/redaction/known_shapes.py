"""Find secrets by their known shapes, from the table in ``known_shapes.toml``. Pure.

Long words are searched for the literals with which secrets begin. Then the pattern of the literal is tried.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import ascii_letters, digits
from typing import Any

from lulu.text.redaction.letters import Letters, Runs
from lulu.text.redaction.spans import Span

#: Words that may contain a secret. None is shorter, its literal included.
_LONG = Runs(ascii_letters + digits + "_.-", 14)
_DIGIT = re.compile(r"[0-9]")
_CAPITAL = re.compile(r"[A-Z]")
#: A word of so many characters, capitals among them, may be a secret without a digit.
_LONG_WITHOUT_DIGITS = 30
_REST = re.compile(r"[A-Za-z0-9_-]*")
_IN_A_WORD = re.compile(r"[A-Za-z0-9_.-]+")
#: The text between the name of a service and a value, from gitleaks.
_OPERATOR = r"[ \t\w.-]{0,20}[\s'\"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[`'\"\s=]{0,5}\Z"
_OPERATORS = ("=", ">", ":", ",", "|")
#: The most characters between a name and its value.
_NAME_BEFORE = 64
#: Hashes and identifiers. They are no secrets unless their name says so.
_HASH = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z_-]+|[0-9]+"
)
_CREDENTIAL = re.compile(r"key|token|secret|passw|pwd|auth|credential|access")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One line of the table."""

    kind: str
    pattern: re.Pattern[str]
    begins: tuple[str, ...] = ()
    back: int = 0
    once: bool = False
    #: Whether the literal may also be inside a word, because nothing else looks like it.
    anywhere: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """The shapes, by the text that is searched for first."""

    by_literal: Mapping[str, list[Shape]]
    #: All literals inside words, as one pattern. The others are searched for in the whole text.
    literals: re.Pattern[str]
    apart: tuple[str, ...]
    by_name: Mapping[str, list[Shape]]
    names: re.Pattern[str]


def known_shapes(letters: Letters) -> Iterator[Span]:
    """Yield the secrets of a known shape."""
    table, text = _table(), letters.text
    for literal in table.apart:
        done = 0
        for at in letters.places(literal.lower()):
            span = _shape_at(table, text, literal, at, {}) if at >= done else None
            if span is not None:
                done = span.end
                yield span
    for start, end in _LONG.places(letters.signs):
        if _DIGIT.search(text, start, end) is None and (
            end - start < _LONG_WITHOUT_DIGITS or _CAPITAL.search(text, start, end) is None
        ):
            continue
        yield from _in_word(table, text, start, end)
        named = _named(table, text, start)
        if named is not None:
            yield named


def _in_word(table: Table, text: str, start: int, end: int) -> Iterator[Span]:
    tried: dict[str, int] = {}
    done = start
    for match in table.literals.finditer(text, start, end):
        if match.start() < done:
            continue
        span = _shape_at(table, text, match[0], match.start(), tried)
        if span is not None:
            done = span.end
            yield span


def _shape_at(table: Table, text: str, literal: str, at: int, tried: dict[str, int]) -> Span | None:
    for shape in table.by_literal[literal]:
        start = at - shape.back
        if start < 0 or tried.get(shape.kind, -1) > start:
            continue
        if not shape.anywhere and start and text[start - 1].isalnum() and text[start - 1].isascii():
            continue
        match = shape.pattern.match(text, start)
        if match is not None:
            rest = _REST.match(text, match.end())
            return Span(start, rest.end() if rest is not None else match.end(), shape.kind)
        if shape.once:
            rest = _REST.match(text, start)
            tried[shape.kind] = rest.end() if rest is not None else start
    return None


def _named(table: Table, text: str, start: int) -> Span | None:
    near = text[max(0, start - 6) : start].rstrip("`'\" \t\n")
    if not near.endswith(_OPERATORS):
        return None
    before = text[max(0, start - _NAME_BEFORE) : start].lower()
    name = table.names.search(before)
    if name is None:
        return None
    is_credential = _CREDENTIAL.search(before, name.end("name")) is not None
    for shape in table.by_name[name["name"]]:
        match = shape.pattern.match(text, start)
        if match is None or text[match.end() : match.end() + 1].isalnum():
            continue
        if is_credential or _HASH.fullmatch(match[0]) is None:
            return Span(start, match.end(), shape.kind)
    return None


@cache
def _table() -> Table:
    stored = tomllib.loads(resources.files("lulu.text.redaction").joinpath("known_shapes.toml").read_text("utf-8"))
    by_literal: defaultdict[str, list[Shape]] = defaultdict(list)
    by_name: defaultdict[str, list[Shape]] = defaultdict(list)
    for shape in shapes(stored):
        for literal in shape.begins:
            by_literal[literal].append(shape)
        for name in shape.names:
            by_name[name].append(shape)
    for literal, found in by_literal.items():
        found += [
            shape
            for shorter in by_literal
            if shorter != literal and literal.startswith(shorter)
            for shape in by_literal[shorter]
            if shape not in found
        ]
    inside = [literal for literal in by_literal if _IN_A_WORD.fullmatch(literal)]
    return Table(
        by_literal=by_literal,
        literals=re.compile(_branches(inside)),
        apart=tuple(literal for literal in by_literal if literal not in inside),
        by_name=by_name,
        names=re.compile(f"(?P<name>{_branches(list(by_name))}){_OPERATOR}"),
    )


def shapes(stored: Mapping[str, Any]) -> Iterator[Shape]:
    """Yield the shapes of a parsed table, Lulu's own first."""
    for kind, line in {**stored["own"], **stored["shapes"], **stored["named"]}.items():
        begins = tuple(line.get("begins", ()))
        yield Shape(
            kind=kind.replace("-", "_"),
            pattern=re.compile(line["pattern"] + (r"(?![A-Za-z0-9])" if line.get("whole") else ""), re.ASCII),
            begins=begins,
            back=line.get("back", 0),
            once=line.get("once", False),
            anywhere="back" in line or (bool(begins) and all(len(one) > 3 and not one[-1].isalnum() for one in begins)),
            names=tuple(line.get("names", ())),
        )


def _branches(words: list[str]) -> str:
    """Return one pattern for all words, as a tree of letters: many times as fast as a list of words."""
    heads: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        heads[word[0]].append(word[1:])
    branches = []
    for letter, tails in sorted(heads.items()):
        rest = _branches([tail for tail in tails if tail])
        if "" in tails:
            rest = f"(?:{rest})?" if rest else ""
        branches.append(re.escape(letter) + rest)
    return f"(?:{'|'.join(branches)})" if branches else ""
