"""Find words and long runs of letters without looking at each character. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice

#: Up to so many matches are looked up one by one; more of them by a pattern.
FEW = 1_000
#: In a shorter text, each word is searched for directly.
_SHORT = 50_000
_SMALL = bytes(ord(chr(code).lower()) for code in range(256))
#: Parts of several words. A word is searched for only around its part.
_PARTS = ("pass", "auth", "key", "pw")


class Letters:
    """A text with an index of its words; each word is searched for once."""

    def __init__(self, text: str) -> None:
        self.text = text
        #: One byte for each character; ``?`` for those outside of Latin-1.
        self.signs = text.encode("latin-1", "replace")
        #: The same in lower case. To find a literal in it is several times as fast as in any text.
        self.lower = self.signs.translate(_SMALL).decode("latin-1")
        self._is_short = len(text) < _SHORT
        self._first: dict[str, Sequence[int]] = {}

    def places(self, word: str) -> Iterable[int]:
        """Return the offsets of a word, given in lower case."""
        first = self.first(word)
        return first if len(first) < FEW else chain(first, places(self.lower, word, first[-1] + 1))

    def begun(self, word: str, pattern: re.Pattern[str]) -> Iterable[re.Match[str]]:
        """Return the matches of a pattern that begins with this word, in the lower-case text."""
        first = self.first(word)
        if not first:
            return ()
        matches = (match for at in first if (match := pattern.match(self.lower, at)) is not None)
        return matches if len(first) < FEW else chain(matches, pattern.finditer(self.lower, first[-1] + 1))

    def first(self, word: str) -> Sequence[int]:
        """Return the first offsets of a word: all of them, or at least ``FEW``."""
        if self._is_short:
            return self._read(word) if word in self.lower else ()
        if word not in self._first:
            self._first[word] = self._looked_up(word)
        return self._first[word]

    def _read(self, word: str) -> Sequence[int]:
        return [*islice(places(self.lower, word), FEW)]

    def _looked_up(self, word: str) -> Sequence[int]:
        """Return the same as ``_read``, from the known offsets of a part of the word."""
        part = _part(word)
        within = self.first(part) if part is not None else ()
        if part is None or len(within) == FEW:
            return self._read(word)
        before = word.index(part)
        return [at - before for at in within if at >= before and self.lower.startswith(word, at - before)]


@lru_cache
def _part(word: str) -> str | None:
    return next((part for part in _PARTS if part in word and part != word), None)


def places(text: str, literal: str, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Yield the offsets of a literal, without overlaps."""
    at = text.find(literal, start, end)
    while at >= 0:
        yield at
        at = text.find(literal, at + len(literal), end)


class Runs:
    """Finds runs of given ASCII characters with a minimum length."""

    def __init__(self, signs: str, least: int) -> None:
        self._table = bytes(ord("x" if chr(code) in signs else " ") for code in range(256))
        self._least = b"x" * least

    def places(self, signs: bytes) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each run."""
        signs = signs.translate(self._table)
        start = signs.find(self._least)
        while start >= 0:
            end = signs.find(b" ", start + len(self._least))
            if end < 0:
                end = len(signs)
            yield start, end
            start = signs.find(self._least, end)
