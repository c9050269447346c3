"""Split turns into parts, so that the visible part is drawn first and drawn parts never move.

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
    """Return the id of the last event where the turns can be split, or ``None`` if there is none.

    At least ``above`` and ``below`` lines are in the two parts. The event is a prompt or a text, never inside a tool
    run.
    """
    lines = [line for turn in shown for line in _lines(turn)]
    return next((lines[at] for at in range(len(lines) - below, above - 1, -1) if lines[at] is not None), None)


def _lines(turn: Turn) -> Iterator[EventId | None]:
    """Yield, for each line of a turn, the event that a part may begin with, or ``None``."""
    if turn.prompt:
        yield turn.prompt.id
    for item in runs(turn.items):
        yield item.stored.id if isinstance(item, Note) and item.stored.type == Text.type else None
    if turn.result:
        yield None


def ends(before: Iterable[int], rows: Iterable[StoredEvent], settled: int) -> list[int]:
    """Return the last event of each part, now that all events up to ``settled`` are settled.

    ``before`` is the result of the previous run. The turn that was open then becomes a part of its own, and so does not
    move on the page. The first part may be empty.
    """
    found = [end for end in before if end < settled]
    if found and not any(found[-1] < row.id <= settled for row in rows):
        found.pop()
    return [*found, settled]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The visible piece of a turn in one part."""

    shown: Turn
    #: The whole turn if it ends in this part, or ``None`` if it continues in a later one.
    whole: Turn | None


def divided(shown: Iterable[Turn], ends: Sequence[int]) -> list[list[Piece]]:
    """Return the turns in parts. Each part ends with the event of its id; the last also has the rest."""
    parts: list[list[Piece]] = [[] for _ in ends]
    for turn in shown:
        pieces = _pieces(turn, ends)
        for number, piece in pieces.items():
            parts[number].append(Piece(shown=piece, whole=turn if number == max(pieces) else None))
    return parts


def _pieces(turn: Turn, ends: Sequence[int]) -> dict[int, Turn]:
    """Return the pieces of a turn, by the number of their part."""
    items: dict[int, list[Item]] = {}
    number = first = _part_of(turn.key, ends)
    for item in turn.items:
        # Never in a part before the item above, because the events of one call may be far apart.
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
