"""The one form of a time in the store, and its readers."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime


def now() -> str:
    """Return the current time as every row of the store has it."""
    return time_text(datetime.now(UTC))


def time_text(moment: datetime) -> str:
    """Return an aware time as every row of the store has it: UTC, ISO 8601, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: object) -> datetime:
    """Return a stored time as an aware UTC datetime, or the epoch if it cannot be read. Never raises.

    Reads Lulu's own form and SQLite's ``datetime('now')``. The first and the last year also become the epoch, because
    some time zones have no date for them.
    """
    epoch = datetime.fromtimestamp(0, UTC)
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return epoch
    if not MINYEAR < parsed.year < MAXYEAR:
        return epoch
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def parse_optional_time(text: object) -> datetime | None:
    """Return a stored time as ``parse_time`` does, or ``None`` for an empty column."""
    return parse_time(text) if text else None
