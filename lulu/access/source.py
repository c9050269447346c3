"""Reads one session for a page. Guests' pages read through ``guest_view.GuestEvents`` instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from lulu.model.actors import Actor
from lulu.model.events import Event, EventId, Result, StoredEvent, Text, Thinking
from lulu.model.sessions import Session, SessionId
from lulu.store import Approval, LiveText, Store
from lulu.transcript.activity import context_window


@dataclass(frozen=True, kw_only=True)
class Log:
    """A part of a session's log, oldest first, as one reader may see it."""

    rows: list[StoredEvent]
    #: The first and the last event that were read, also where they may not be seen; ``None`` if none was read.
    first: EventId | None
    last: EventId | None


@dataclass(frozen=True, kw_only=True)
class OpenTurn:
    """The session after its settled events: its row, its newest events and its live text."""

    session: Session
    log: Log
    #: The block that is being written, unless it is among the events already.
    written: LiveText | None


@dataclass(frozen=True, kw_only=True)
class Words:
    """The last events of a session with their texts, and the block that is being written."""

    #: ``None`` for an event that is no text of the transcript.
    latest: list[tuple[EventId, Text | None]]
    #: ``None`` also where the block is among ``latest``.
    written: LiveText | None


class Source(Protocol):
    """One session as one reader may see it. Each method reads what is stored now."""

    @property
    def session_id(self) -> SessionId:
        """The session."""

    def is_open_to(self, actor: Actor) -> bool:
        """Return whether this person may see the session. Raises ``Forbidden`` where only owners may."""

    def version(self, topic: str) -> int:
        """Return the version of a topic."""

    def session(self) -> Session:
        """Return the session's row. Raises ``SessionNotFound``."""

    def events(self, *, after: int = 0, before: int | None = None, limit: int | None = None) -> Log:
        """Return the events with ``after < id < before``; with ``limit``, the last that many of them."""

    def events_around(self, event_id: int, *, before: int, after: int) -> Log:
        """Return the event, and up to so many before and after it; none if the session has no such event."""

    def calls_before(self, event_id: int, names: Collection[str]) -> list[StoredEvent]:
        """Return the last call or request before an event with each of these ids."""

    def open_turn(self, *, after: int) -> OpenTurn:
        """Return the session, its events behind ``after``, and the block that is being written."""

    def words(self, limit: int) -> Words:
        """Return up to ``limit`` of the last events with their texts, and the block that is being written."""

    def requests(self) -> list[Approval]:
        """Return the open requests that the reader may answer."""

    def checklist(self) -> list[StoredEvent]:
        """Return the calls that keep the agent's checklist."""

    def context_tokens(self) -> int | None:
        """Return the tokens that the model had read last; ``None`` if the latest events do not say."""

    def context_window(self, session: Session) -> int | None:
        """Return the tokens that fit the session's model; ``None`` if its last result does not say."""


class OwnerEvents:
    """One session as it is stored."""

    def __init__(self, store: Store, session_id: SessionId) -> None:
        self._store = store
        self._session_id = session_id

    @property
    def session_id(self) -> SessionId:
        """The session."""
        return self._session_id

    def is_open_to(self, actor: Actor) -> bool:
        """Return ``True`` for an owner. Raises ``Forbidden`` for everybody else."""
        actor.require_owner()
        return True

    def version(self, topic: str) -> int:
        """Return the version of a topic."""
        return self._store.bus.version(topic)

    def session(self) -> Session:
        """Return the session's row. Raises ``SessionNotFound``."""
        return self._store.sessions.get(self._session_id)

    def events(self, *, after: int = 0, before: int | None = None, limit: int | None = None) -> Log:
        """Return the events with ``after < id < before``; with ``limit``, the last that many of them."""
        return _log(self._store.events.of_session(self._session_id, after=after, before=before, limit=limit))

    def events_around(self, event_id: int, *, before: int, after: int) -> Log:
        """Return the event, and up to so many before and after it; none if the session has no such event."""
        return _log(self._store.events.around(self._session_id, event_id, before=before, after=after))

    def calls_before(self, event_id: int, names: Collection[str]) -> list[StoredEvent]:
        """Return the last call or request before an event with each of these ids."""
        return self._store.events.calls_before(self._session_id, event_id, names)

    def open_turn(self, *, after: int) -> OpenTurn:
        """Return the session, its events behind ``after``, and the block that is being written."""
        # Before the rows: a block that is finished in between is then read twice, and once is dropped, never lost.
        written = self._store.events.live_text(self._session_id)
        session = self.session()
        log = self.events(after=after)
        if written is not None and is_finished(written, [row.event for row in log.rows[-5:]]):
            written = None
        return OpenTurn(session=session, log=log, written=written)

    def words(self, limit: int) -> Words:
        """Return up to ``limit`` of the last events with their texts, and the block that is being written."""
        written = self._store.events.live_text(self._session_id)
        latest = self._store.events.latest_texts(self._session_id, limit)
        if written is not None and is_finished(written, (text for _, text in latest if text)):
            written = None
        return Words(latest=latest, written=written)

    def requests(self) -> list[Approval]:
        """Return the open requests of the session, oldest first."""
        return self._store.approvals.find(self._session_id)

    def checklist(self) -> list[StoredEvent]:
        """Return the calls that keep the agent's checklist."""
        return self._store.events.of_checklist(self._session_id)

    def context_tokens(self) -> int | None:
        """Return the tokens that the model had read last; ``None`` if the latest events do not say."""
        return self._store.events.context_tokens(self._session_id)

    def context_window(self, session: Session) -> int | None:
        """Return the tokens that fit the session's model; ``None`` if its last result does not say."""
        # A session without a turn has no result; one is not looked for in the whole of its log.
        stored = self._store.events.last(self._session_id, Result.type) if session.num_turns else None
        result = stored.event if stored and isinstance(stored.event, Result) else None
        return context_window(result, session.model)


def _log(rows: list[StoredEvent]) -> Log:
    return Log(rows=rows, first=rows[0].id if rows else None, last=rows[-1].id if rows else None)


def is_finished(written: LiveText, events: Iterable[Event]) -> bool:
    """Return whether one of these events is the block that was being written."""
    return any(
        event.type == written.kind and event.message_id == written.message_id and event.content.startswith(written.text)
        for event in events
        if isinstance(event, Text | Thinking)
    )


def hidden_in(rows: Iterable[StoredEvent]) -> Counter[str]:
    """Count what is hidden in these events, by kind."""
    return Counter(kind for row in rows for kind in row.hidden)
