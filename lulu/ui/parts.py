"""Turns in two parts: what is in view is drawn first, and what stands above it right after.

Pure, like ``lulu/transcript.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lulu.events import EventId, Text
from lulu.transcript import Item, Note, Turn, runs


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


@dataclass(frozen=True, kw_only=True)
class Divided:
    """Turns in two parts."""

    above: list[Turn]
    below: list[Turn]
    #: The turn that each of them holds a part of.
    torn: Turn | None = None

    def ended_by(self, part: Turn) -> Turn | None:
        """The whole turn that ends with this part; nothing where the turn goes on below."""
        if self.torn is None or not (part is self.above[-1] or part is self.below[0]):
            return part
        return self.torn if part is self.below[0] else None


def divided(shown: Iterable[Turn], at: int) -> Divided:
    """The turns before and from the event ``at``, which ``place_to_divide`` has found; 0 for all of them below."""
    above: list[Turn] = []
    below: list[Turn] = []
    torn = None
    for turn in shown:
        place = next((number for number, item in enumerate(turn.items) if _is(item, at)), None)
        if place is not None and (place or turn.prompt):
            torn = turn
            above.append(replace(turn, items=turn.items[:place], result=None))
            below.append(replace(turn, prompt=None, items=turn.items[place:]))
        else:
            (below if turn.key >= at else above).append(turn)
    return Divided(above=above, below=below, torn=torn)


def _is(item: Item, event_id: int) -> bool:
    return isinstance(item, Note) and item.stored.id == event_id
