"""Figures and rows: what was measured, what it should be, and which function measures it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scripts.bench.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of one run, and its target."""

    what: str
    value: float
    unit: str
    #: It should be at most, or at least, this; nothing where it only stands beside another.
    most: float | None = None
    least: float | None = None
    #: The same for a static HTML page of the same content, in the same run.
    static: float | None = None
    #: How it was taken, or what limits it.
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether it meets its target; nothing where it has none."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)


Measure = Callable[["Stage"], list[Figure]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that can be measured alone."""

    name: str
    about: str
    measure: Measure


ROWS: dict[str, Row] = {}


def row(name: str) -> Callable[[Measure], Measure]:
    """Register the decorated function as a row; its docstring says what it is about."""

    def register(measure: Measure) -> Measure:
        ROWS[name] = Row(name=name, about=(measure.__doc__ or "").strip().splitlines()[0], measure=measure)
        return measure

    return register


def percentile(values: Iterable[float], percent: float) -> float:
    """The value below which so many percent lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * len(ordered)))] if ordered else float("nan")


def middle(values: Sequence[float]) -> float:
    """The median; not a number where nothing was measured."""
    return median(values) if values else float("nan")
