"""Adds to the end of a turn how long people were waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lulu.model.events import Event, Result
from lulu.model.timestamps import now, parse_time
from lulu.store.database import Transaction
from lulu.transcript import waits


def with_waits(tx: Transaction, session_id: str, events: Sequence[Event]) -> list[Event]:
    """Return the events, each result with the wait for people, and add it to the session's sum."""
    return [_told(tx, session_id, event) for event in events]


def _told(tx: Transaction, session_id: str, event: Event) -> Event:
    if not isinstance(event, Result) or event.parent is not None or not event.duration_ms:
        return event
    waited = min(_milliseconds(tx, session_id), event.duration_ms)
    tx.query(
        "UPDATE sessions SET waited_ms = coalesce(waited_ms, 0) + :waited WHERE id = :id", id=session_id, waited=waited
    )
    return replace(event, waited_ms=waited) if waited else event


def _milliseconds(tx: Transaction, session_id: str) -> float:
    """Return the wait since the last prompt or end of a turn. Overlapping waits count once."""
    begun = tx.query(
        "SELECT created_at FROM conversation_events WHERE session_id = :id AND event_type IN ('user', 'result') "
        "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.parent') END IS NULL "
        "ORDER BY id DESC LIMIT 1",
        id=session_id,
    )
    if not begun:
        return 0.0
    since, until = parse_time(begun[0]["created_at"]), parse_time(now())
    asked = tx.query(
        "SELECT created_at, coalesce(decided_at, :until) AS decided_at FROM approvals WHERE session_id = :id "
        "AND auto_approved = 0 AND coalesce(decided_at, :until) >= :since",
        id=session_id,
        until=now(),
        since=begun[0]["created_at"],
    )
    found = [(parse_time(row["created_at"]), parse_time(row["decided_at"])) for row in asked]
    return waits.total(found, since, until).total_seconds() * 1000
