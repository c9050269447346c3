"""Spans of a text that a guest must not see, and the text without them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

#: Replacements for these kinds. Any other kind is replaced by its name.
_SHOWN = {"home folder": "~", "computer name": "[this computer]"}
#: The first character of a diff's line. It stays in front of a hidden line.
_SIGNS = ("+", "-", " ")


class Span(NamedTuple):
    """A range of a text, and the kind of secret in it."""

    start: int
    end: int
    kind: str

    @property
    def shown(self) -> str:
        """The replacement in a guest's view."""
        return _SHOWN.get(self.kind) or f"[{self.kind.replace('_', ' ')} hidden]"


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, overlapping ones as one. A secret's kind wins over a name's."""
    joined: list[Span] = []
    for span in sorted(spans):
        last = joined[-1] if joined else None
        if last is None or span.start >= last.end:
            joined.append(span)
            continue
        kind = span.kind if last.kind in _SHOWN else last.kind
        joined[-1] = Span(last.start, max(last.end, span.end), kind)
    return joined


def without(pieces: Sequence[str], spans: Iterable[Span], starts: Sequence[int]) -> list[str]:
    """Return the pieces of a text with the spans removed.

    ``starts`` has the offset of each piece. The first piece of a span gets the replacement.
    """
    parts: list[list[str]] = [[] for _ in pieces]
    done = list(starts)
    number = 0
    for span in spans:
        while number < len(pieces) and starts[number] + len(pieces[number]) <= span.start:
            number += 1
        at, said = number, False
        while at < len(pieces) and starts[at] < span.end:
            piece, start = pieces[at], starts[at]
            begin, end = max(span.start, start), min(span.end, start + len(piece))
            if begin < end:
                parts[at].append(piece[done[at] - start : begin - start])
                if not said:
                    parts[at].append(span.shown)
                elif piece.startswith(_SIGNS) and begin == start:
                    parts[at].append(piece[0])
                said, done[at] = True, end
            at += 1
    return ["".join([*parts[at], piece[done[at] - starts[at] :]]) for at, piece in enumerate(pieces)]
