"""Parts of a text that a guest should not see, as values; and the text without them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

#: What stands in the place of a part of this kind; of every other, its name.
_SHOWN = {"home folder": "~", "computer name": "[this computer]"}
#: The signs of a diff's line, which stay where the line is hidden.
_SIGNS = ("+", "-", " ")


class Span(NamedTuple):
    """A part of a text, and what it is."""

    start: int
    end: int
    kind: str

    @property
    def shown(self) -> str:
        """What a guest reads in its place."""
        return _SHOWN.get(self.kind) or f"[{self.kind.replace('_', ' ')} hidden]"


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same parts in their order, those that overlap as one; a secret's kind before a name's."""
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
    """The pieces of a text, each beginning at its place of ``starts``, without the spans; the first says what was."""
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
