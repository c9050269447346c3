"""Turns in parts that follow each other: what is in view is drawn first, and what is drawn stays where it stands.

Pure, like ``lulu/transcript/turns.py``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lulu.model.events import EventId, StoredEvent, Text
from lulu.transcript.tool_calls import events_of
from lulu.transcript.turns import Item, Note, Turn, runs


def place_to_divide(shown: Iterable[Turn], *, above: int, below: int) -> EventId | None:
    """The last event at which these turns can be drawn in two parts, with at least so many lines in each.

    It is a prompt or a text: no call and no row of calls is torn apart. Nothing where there is no such event.
    """
    lines = [line for turn in shown for line in _lines(turn)]
    return next((lines[at] for at in range(len(lines) - below, above - 1, -1) if lines[at] is not None), None)


def _lines(turn: Turn) -> Iterator[EventId | None]:
    """For each line of a turn: the event that a part may begin with, or nothing where none may begin there."""
    if turn.prompt:
        yield turn.prompt.id
    for item in runs(turn.items):
        yield item.stored.id if isinstance(item, Note) and item.stored.type == Text.type else None
    if turn.result:
        yield None


def ends(before: Iterable[int], rows: Iterable[StoredEvent], settled: int) -> list[int]:
    """The last event of each part of these rows, now that all to the event ``settled`` is settled.

    ``before`` are those of the run before. What was open until now is a part of its own, and so stands where it stood.
    The first part may be empty.
    """
    found = [end for end in before if end < settled]
    if found and not any(found[-1] < row.id <= settled for row in rows):
        found.pop()
    return [*found, settled]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one part shows of a turn."""

    shown: Turn
    #: The turn that ends with it; nothing where it goes on in a later part.
    whole: Turn | None


def divided(shown: Iterable[Turn], ends: Sequence[int]) -> list[list[Piece]]:
    """The turns in parts, of which each ends with the event of that id; what comes after them all is of the last."""
    parts: list[list[Piece]] = [[] for _ in ends]
    for turn in shown:
        pieces = _pieces(turn, ends)
        for number, piece in pieces.items():
            parts[number].append(Piece(shown=piece, whole=turn if number == max(pieces) else None))
    return parts


def _pieces(turn: Turn, ends: Sequence[int]) -> dict[int, Turn]:
    """The turn by the numbers of the parts that show something of it."""
    items: dict[int, list[Item]] = {}
    number = first = _part_of(turn.key, ends)
    for item in turn.items:
        # Never before the one above it: events of one call may stand far apart.
        number = max(number, _part_of(min(stored.id for stored in events_of([item])), ends))
        items.setdefault(number, []).append(item)
    last = max(number, _part_of(turn.result.id, ends)) if turn.result else number
    return {
        number: Turn(
            prompt=turn.prompt if number == first else None,
            items=tuple(items.get(number, ())),
            result=turn.result if number == last else None,
        )
        for number in sorted({first, last, *items})
    }


def _part_of(event_id: int, ends: Sequence[int]) -> int:
    return min(bisect_left(ends, event_id), len(ends) - 1)
