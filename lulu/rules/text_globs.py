"""Patterns with ``*`` over plain text: commands, tool names, field values. They run in linear time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_STAR = re.compile(r"\\\*|\*+")


@dataclass(frozen=True, kw_only=True)
class TextGlob:
    """A pattern with ``*`` for any text and ``\\*`` for an asterisk.

    With ``ends_word``, a last `` *`` may also match an empty text: ``ls *`` matches ``ls`` (and never ``lsof``).
    """

    #: As typed.
    text: str
    #: The texts between the stars; a single one is an exact pattern.
    pieces: tuple[str, ...]
    ends_word: bool = False

    @property
    def exact(self) -> str | None:
        """The only text that it matches; None if it has a star."""
        return self.pieces[0] if len(self.pieces) == 1 else None

    @property
    def program(self) -> str | None:
        """The first word if it has no star, else None."""
        word, blank, _ = self.pieces[0].partition(" ")
        return word if blank or len(self.pieces) == 1 else None

    def matches(self, text: str) -> bool:
        """Whether the pattern matches the whole ``text``."""
        if len(self.pieces) == 1:
            return text == self.pieces[0]
        if _in_order(self.pieces, text):
            return True
        if not self.ends_word:
            return False
        shorter = (*self.pieces[:-2], self.pieces[-2][:-1])
        return text == shorter[0] if len(shorter) == 1 else _in_order(shorter, text)


@lru_cache(maxsize=2048)
def text_glob(pattern: str, *, ends_word: bool = False, escapes: bool = True) -> TextGlob:
    """Parse ``pattern``. Without ``escapes``, ``\\*`` is a star, too.

    With ``ends_word``, a last `` *`` ends a word.
    """
    pieces = [""]
    position = 0
    for found in _STAR.finditer(pattern):
        pieces[-1] += pattern[position : found.start()]
        if found.group() == "\\*" and escapes:
            pieces[-1] += "*"
        else:
            pieces.append("")
        position = found.end()
    pieces[-1] += pattern[position:]
    return TextGlob(
        text=pattern,
        pieces=tuple(pieces),
        ends_word=ends_word and len(pieces) > 1 and pieces[-1] == "" and pieces[-2].endswith(" "),
    )


def escaped(text: str) -> str:
    """Return the pattern that matches only ``text``."""
    return text.replace("*", "\\*")


def _in_order(pieces: tuple[str, ...], text: str) -> bool:
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True
