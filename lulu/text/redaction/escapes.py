"""Read escapes as the characters that they mean: JSON in JSON, addresses, HTML. Pure."""

from __future__ import annotations

import html
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, chain, islice

from lulu.text.redaction.letters import FEW, Letters, places
from lulu.text.redaction.spans import Span

#: Any number of backslashes: each program that quoted the text has doubled them.
_BACKSLASHED = (
    r"\\(?<!\\\\)\\*+(?:[\"'/`nrt]|(?:u001[bB]|x1[bB]|033|e)\[[0-9;]{0,12}[A-Za-z]"
    r"|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|u\{[0-9a-fA-F]{1,6}\}|[01][0-7]{2})"
)
_PERCENT = r"%(?:25){0,4}[0-9A-Fa-f]{2}"
_ENTITY = r"&(?:amp;){0,4}(?:quot|amp|lt|gt|apos|\#[0-9]{2,7}|\#[xX][0-9a-fA-F]{2,6});"
_ESCAPE = re.compile(f"({_BACKSLASHED}|{_PERCENT}|{_ENTITY})")
#: One kind alone is found many times as fast, by its first character. No kind contains that of another.
_MOST, _OTHERS = re.compile(f"({_BACKSLASHED})"), {"%": re.compile(_PERCENT), "&": re.compile(_ENTITY)}
_SIGNS = {"n": "\n", "r": "\n", "t": "\t"}
#: Characters that no searched word contains.
_IN_NO_WORD = frozenset("\n\t\"'`\\")

#: The parts of a text are counted in about so many blocks.
_BLOCKS = 2_000


class Unescaped(Letters):
    """A text with its escapes read, and the original offset of each part."""

    def __init__(self, written: Letters, parts: list[str]) -> None:
        """Take the parts of the written text: plain parts and escapes, in turn."""
        self._written, self._parts, self._meant = written, parts, parts.copy()
        self._meant[1::2] = map(_SIGN.__getitem__, parts[1::2])
        super().__init__("".join(self._meant))
        self._block = 2 + 2 * (len(parts) // (2 * _BLOCKS))
        #: Offsets of the parts of a block, here and in the written text.
        self._inside: dict[int, tuple[list[int], list[int]]] = {}

    def before(self, spans: Iterable[Span]) -> Iterator[Span]:
        """Translate spans back to the written text. An escape is covered as a whole."""
        return (Span(self._place(span.start), self._place(span.end), span.kind) for span in spans)

    def _place(self, at: int) -> int:
        block = bisect_right(self._here, at) - 1
        if block not in self._inside:
            parts = slice(block * self._block, (block + 1) * self._block)
            self._inside[block] = (
                [*accumulate(map(len, self._meant[parts]), initial=self._here[block])],
                [*accumulate(map(len, self._parts[parts]), initial=self._there[block])],
            )
        here, there = self._inside[block]
        # Of several parts at one offset, all but the last are empty. An escape without a meaning goes with the last.
        number = bisect_right(here, at) - 1
        return there[number] + at - here[number]

    @cached_property
    def _here(self) -> list[int]:
        """Offset of each block in this text. An offset for every part would take longer than all its uses."""
        return self._begins(self._meant)

    @cached_property
    def _there(self) -> list[int]:
        """Offset of each block in the written text."""
        return self._begins(self._parts)

    def _begins(self, parts: list[str]) -> list[int]:
        lengths = (len("".join(parts[first : first + self._block])) for first in range(0, len(parts), self._block))
        return [*accumulate(lengths, initial=0)]

    @cached_property
    def _spelled(self) -> list[tuple[int, int]]:
        """Ranges with escapes that may be part of a word, or that split a word and mean no character."""
        return [
            (self._here[block] + len(self._meant[first]), self._here[block + 1])
            for block, first in enumerate(range(0, len(self._parts), self._block))
            if not _IN_NO_WORD.issuperset(self._meant[first + 1 : first + self._block : 2])
        ]

    def _looked_up(self, word: str) -> Sequence[int]:
        """Return the same as ``_read``, from the word's offsets in the written text. Few words have escapes."""
        written = self._written.first(word)
        if len(written) == FEW or 8 * len(self._parts) > len(self.text) or len(self._spelled) > FEW:
            return super()._looked_up(word)
        found: set[int] = set()
        for at in written:
            # An escape is at least as long as its meaning.
            block = bisect_right(self._there, at) - 1
            least = max(self._here[block], at - self._there[block + 1] + self._here[block + 1])
            most = at - self._there[block] + self._here[block]
            found.update(places(self.lower, word, least, most + len(word)))
        for start, end in self._spelled:
            found.update(places(self.lower, word, max(0, start - len(word) + 1), end + len(word) - 1))
        return sorted(found)[:FEW]


def unescaped(letters: Letters) -> Unescaped | None:
    """Return the text with its escapes read, or ``None`` if it has none."""
    text = letters.text
    kinds = [kind for sign, kind in _OTHERS.items() if sign in text]
    others = [match.span() for match in islice(chain.from_iterable(kind.finditer(text) for kind in kinds), FEW + 1)]
    if len(others) > FEW:
        return Unescaped(letters, _ESCAPE.split(text))
    if not others and "\\" not in text:
        return None
    parts, done = [], 0
    for start, end in sorted(others):
        parts += [*_MOST.split(text[done:start]), text[start:end]]
        done = end
    parts += _MOST.split(text[done:])
    return Unescaped(letters, parts) if len(parts) > 1 else None


class _Signs(dict[str, str]):
    """Meanings of escapes; caches a thousand short ones."""

    def __missing__(self, escape: str) -> str:
        sign = _sign(escape)
        if len(self) < 1_000 and len(escape) < 16:
            self[escape] = sign
        return sign


_SIGN = _Signs()


def _sign(escape: str) -> str:
    if escape[0] == "%":
        return chr(int(escape[-2:], 16))
    if escape[0] == "&":
        return html.unescape(escape.replace("&amp;", "&"))
    body = escape.lstrip("\\")
    if "[" in body:
        return ""
    if body[0] in "uxU" and len(body) > 1:
        number = int(body[1:].strip("{}"), 16)
        return chr(number) if number <= sys.maxunicode else body
    if body.isdigit():
        return chr(int(body, 8))
    return _SIGNS.get(body, body)
