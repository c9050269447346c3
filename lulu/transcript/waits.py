"""Measure waits for people, from requests and their answers. A tool's time excludes them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lulu.model.events import Permission, PermissionDecision, StoredEvent

#: The times of a request and of its answer.
Wait = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds of work, and seconds of waiting for a person."""

    seconds: float
    waited: float


def waits(rows: Iterable[StoredEvent]) -> list[Wait]:
    """Return every finished wait among these events."""
    asked: dict[str, datetime] = {}
    found: list[Wait] = []
    for stored in sorted(rows, key=lambda one: one.id):
        if isinstance(stored.event, Permission):
            asked[stored.event.id] = stored.created_at
        elif isinstance(stored.event, PermissionDecision) and stored.event.id in asked:
            found.append((asked.pop(stored.event.id), stored.created_at))
    return found


def total(found: Iterable[Wait], since: datetime, until: datetime) -> timedelta:
    """Return the time spent waiting between ``since`` and ``until``. Overlapping waits count once."""
    counted, end = timedelta(0), since
    for asked, answered in sorted(found):
        begin, answered = max(asked, end), min(answered, until)
        if answered > begin:
            counted += answered - begin
            end = answered
    return counted


def spent(rows: Iterable[StoredEvent], since: datetime | None, until: datetime | None) -> Spent | None:
    """Return the time between the two, divided; ``None`` if either is unknown."""
    if since is None or until is None:
        return None
    waited = total(waits(rows), since, until)
    return Spent(seconds=(until - since - waited).total_seconds(), waited=waited.total_seconds())
