"""Write the actions of one session's agent, in order. A refused write is reported in the session."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from lulu.errors import LuluError, SessionNotFound, StoreBusy
from lulu.model.events import NOT_SAVED, Error, Event, encode
from lulu.store import Change, Store

T = TypeVar("T")

log = logging.getLogger(__name__)

#: The most characters of an unsaved event that the error keeps.
_KEPT = 20_000


class Recorder:
    """Connects one session's agent to the store."""

    def __init__(self, session_id: str, store: Store) -> None:
        self._session_id = session_id
        self._store = store
        #: Whether Lulu is stopping. Then the end of a turn is no activity of its session.
        self.is_stopping = False

    def record(self, change: Change) -> None:
        """Queue a write, in order, without waiting. The store keeps it until it can commit."""
        change = replace(change, is_activity=not self.is_stopping)
        self._store.events.record(change).add_done_callback(partial(self._after, change))

    def let_go(self) -> None:
        """Clear the row's process, and note the background commands that ended with it. No turn is open."""
        self._store.sessions.let_go(self._session_id).add_done_callback(self.log_failure)

    async def commit(self, change: Change) -> None:
        """Write, and return after the commit. Raises ``StoreError``."""
        await done(self._store.events.record(change))

    def tell(self, problem: BaseException, lost: Iterable[Event] = ()) -> None:
        """Report in the session that something was not saved."""
        self.fall_back([Change(session_id=self._session_id, events=[not_saved(problem, lost)])])

    def log_failure(self, written: Future[Any]) -> None:
        """Report a failed write that had no events of the agent. Runs in the writer's thread."""
        problem = written.exception()
        if problem is not None and not isinstance(problem, SessionNotFound):
            log.error("session %s: a change could not be written: %s", self._session_id, problem)
            if _can_be_told(problem):
                self.tell(problem)

    def fall_back(self, changes: list[Change]) -> None:
        """Write the first of these changes that the store accepts."""

        def after(written: Future[Any]) -> None:
            problem = written.exception()
            if problem is not None:
                log.error("session %s: %s", self._session_id, problem)
                if others and _can_be_told(problem):
                    self.fall_back(others)

        first, *others = changes
        # When Lulu stops, the store is closed.
        with contextlib.suppress(StoreBusy):
            self._store.events.record(first).add_done_callback(after)

    def _after(self, change: Change, written: Future[Any]) -> None:
        """Replace the events of a refused write by an error, and keep the rest. Runs in the writer's thread."""
        problem = written.exception()
        if problem is None or isinstance(problem, SessionNotFound):
            # A deleted session keeps no more changes.
            return
        log.error("session %s: a change could not be written: %s", self._session_id, problem)
        if change.live is not None or not _can_be_told(problem):
            # Live text is not lost: the whole block follows.
            return
        told = [not_saved(problem, change.events)]
        self.fall_back([replace(change, events=told), Change(session_id=self._session_id, events=told)])


async def done(future: Future[T]) -> T:
    """Await the store's answer in a loop."""
    return await asyncio.wrap_future(future)


def not_saved(problem: BaseException, lost: Iterable[Event] = ()) -> Error:
    """Return an error event for unsaved events, with as much of their text as possible."""
    happened = problem.happened if isinstance(problem, LuluError) else f"Lulu failed ({type(problem).__name__})."
    return Error(
        message=f"A part of this session could not be saved. {happened} Ask the agent for what is missing.",
        code=NOT_SAVED,
        detail="\n".join([str(problem), *map(_text_of, lost)])[:_KEPT],
    )


def _can_be_told(problem: BaseException) -> bool:
    """Whether the problem can be reported: not in a deleted session, not in a closed store."""
    return isinstance(problem, Exception) and not isinstance(problem, StoreBusy | SessionNotFound)


def _text_of(event: Event) -> str:
    try:
        return " ".join(encode(event))
    except (TypeError, ValueError, RecursionError):
        return f"{event.type} (it cannot be written as text)" if hasattr(event, "type") else "unknown"
