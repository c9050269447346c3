"""Find an agent's current activity from the last events of its log. Pure: knows rows, no store.

All times are those of the log. The page counts on from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lulu.model.events import Permission, PermissionDecision, Result, StoredEvent, System, ToolUse, User
from lulu.model.sessions import Session, SessionStatus
from lulu.transcript import waits
from lulu.transcript.tool_calls import OpenCalls

#: The number of last events to read: enough for parallel calls, with those of a sub-agent between them.
LOOK_BACK = 60
#: A limit that ends later than this comes from a wrong clock, or is in milliseconds.
_LONGEST_WAIT = timedelta(days=32)


@dataclass(frozen=True, kw_only=True)
class Activity:
    """The current activity of an agent."""

    #: ``starting``, ``waiting``, ``tool``, ``retry``, ``limit``, ``thinking``, ``writing`` or ``working``.
    kind: str
    #: The start of the activity.
    since: datetime
    #: The calls without an answer, oldest first.
    tools: tuple[ToolUse, ...] = ()
    #: The time of the next try or the end of a limit, if it is known.
    until: datetime | None = None
    #: The number of the next try, and the most tries.
    attempt: int | None = None
    attempts: int | None = None
    #: The time of the agent's last output. ``None`` if silence is normal: a tool runs, or a person has to answer.
    heard: datetime | None = None
    #: The time that the agent waited for a person. ``since`` does not include it.
    waited: timedelta = timedelta(0)


def activity(
    session: Session,
    rows: Sequence[StoredEvent],
    *,
    writes: str | None = None,
    written_at: datetime | None = None,
    asked_at: datetime | None = None,
) -> Activity | None:
    """Return the activity of a live session, or ``None`` for a session that is not live.

    ``rows``: its last events, oldest first. ``writes``: the kind of the block that is being written (``text``,
    ``thinking``). ``written_at``: the last change of that block. ``asked_at``: the time of the oldest open request.
    """
    if not session.is_live:
        return None
    if asked_at is not None or session.known_status is SessionStatus.WAITING:
        return Activity(kind="waiting", since=asked_at or session.updated_at)
    if session.known_status is SessionStatus.STARTING:
        return Activity(kind="starting", since=session.updated_at)
    turn = _since_prompt(rows)
    last_at = turn[-1].created_at if turn else session.updated_at
    if writes is not None:
        kind = "thinking" if writes == "thinking" else "writing"
        return Activity(kind=kind, since=last_at, heard=max(last_at, written_at or last_at))
    if open_calls := _open_calls(turn):
        calls = tuple(stored.event for stored in open_calls if isinstance(stored.event, ToolUse))
        begun = open_calls[0].created_at
        waited = waits.total(waits.waits(_of_call(turn, calls[0].id)), begun, turn[-1].created_at)
        return Activity(kind="tool", since=begun + waited, tools=calls, waited=waited)
    return _held_up(turn) or Activity(kind="working", since=last_at, heard=last_at)


def context_tokens(rows: Sequence[StoredEvent]) -> int | None:
    """Return the last known size of the main agent's context, in tokens, or ``None``."""
    told = (stored.event.context for stored in reversed(rows) if stored.event.parent is None and stored.event.context)
    return next(told, None)


def context_share(used: int | None, window: int | None) -> float | None:
    """Return the used share of the context, from 0 to 1, or ``None`` if a figure is unknown."""
    return min(used / window, 1.0) if used and window else None


def context_window(result: Result | None, model: str | None) -> int | None:
    """Return the size of the model's context in tokens, from the last result, or ``None``."""
    found = (result.model_usage if result else None) or {}
    told = [found.get(model or ""), *found.values()]
    windows = [entry.get("contextWindow") for entry in told if isinstance(entry, dict)]
    return next((window for window in windows if isinstance(window, int) and window > 0), None)


def _since_prompt(rows: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
    """Return the events of the running turn, its prompt included."""
    for place in range(len(rows) - 1, -1, -1):
        event = rows[place].event
        if event.parent is None and isinstance(event, Result):
            return rows[place + 1 :]
        if event.parent is None and isinstance(event, User):
            return rows[place:]
    return rows


def _open_calls(rows: Sequence[StoredEvent]) -> list[StoredEvent]:
    calls = OpenCalls()
    for stored in rows:
        calls.follow(stored)
    return list(calls.stored.values())


def _of_call(rows: Sequence[StoredEvent], call_id: str) -> list[StoredEvent]:
    """Return the requests and answers for this call and for those of its sub-agent."""
    calls, requests = {call_id}, set()
    for stored in rows:
        if isinstance(stored.event, ToolUse) and stored.event.parent in calls:
            calls.add(stored.event.id)
        elif isinstance(stored.event, Permission) and stored.event.tool_use_id in calls:
            requests.add(stored.event.id)
    return [one for one in rows if isinstance(one.event, Permission | PermissionDecision) and one.event.id in requests]


def _held_up(rows: Sequence[StoredEvent]) -> Activity | None:
    """Return the wait for the API that is the last event, or ``None``."""
    last = rows[-1] if rows else None
    if last is None or not isinstance(last.event, System):
        return None
    data, since = last.event.data or {}, last.created_at
    if last.event.subtype == "retry":
        delay = data.get("retry_delay_ms")
        until = since + timedelta(milliseconds=min(delay, 1e9)) if isinstance(delay, int | float) else None
        attempt, attempts = data.get("attempt"), data.get("max_retries")
        return Activity(
            kind="retry",
            since=since,
            until=until,
            attempt=attempt if isinstance(attempt, int) else None,
            attempts=attempts if isinstance(attempts, int) else None,
        )
    if last.event.subtype == "rate_limit" and data.get("status") == "rejected":
        return Activity(kind="limit", since=since, until=_resets_at(data, since))
    return None


def _resets_at(data: dict[str, Any], told_at: datetime) -> datetime | None:
    """Return the end of a limit. The CLI writes seconds since the epoch."""
    found = data.get("resetsAt", data.get("resets_at"))
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    try:
        until = datetime.fromtimestamp(found, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return until if until - told_at < _LONGEST_WAIT else None
