"""Finds the places of words and of long runs of letters, without a look at each sign. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: So many words are found faster one by one, more of them by a pattern.
_FEW = 500
_SMALL = bytes(ord(chr(code).lower()) for code in range(256))


def signs_of(text: str) -> bytes:
    """The text with one byte for each sign; what is not Latin-1 becomes ``?``."""
    return text.encode("latin-1", "replace")


def small_letters(signs: bytes) -> str:
    """The same in small letters: a literal is found in it several times as fast as in any text."""
    return signs.translate(_SMALL).decode("latin-1")


def places(text: str, literal: str) -> Iterator[int]:
    """Where the literal begins, each time behind the one before."""
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + len(literal))


def begun(text: str, word: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Where the pattern, which begins with this word, matches."""
    at = text.find(word)
    for _ in range(_FEW):
        if at < 0:
            return
        match = pattern.match(text, at)
        if match is not None:
            yield match
        at = text.find(word, at + len(word))
    if at >= 0:
        yield from pattern.finditer(text, at)


class Runs:
    """Runs of some ASCII signs that are at least so long."""

    def __init__(self, signs: str, least: int) -> None:
        self._table = bytes(ord("x" if chr(code) in signs else " ") for code in range(256))
        self._least = b"x" * least

    def places(self, signs: bytes) -> Iterator[tuple[int, int]]:
        """Where each run begins and ends."""
        signs = signs.translate(self._table)
        start = signs.find(self._least)
        while start >= 0:
            end = signs.find(b" ", start + len(self._least))
            if end < 0:
                end = len(signs)
            yield start, end
            start = signs.find(self._least, end)
