"""The one thread that writes. Callers hand it jobs; it commits what has gathered together, then rings the bus.

Nothing is given up: while the file is locked or the disk is full, jobs wait and are tried again. Only a job with a
deadline (a person waits for the answer) is withdrawn, and its caller is told.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import dataset
from sqlalchemy.exc import DBAPIError

from lulu.errors import DatabaseUnwritable, LuluError, StoreBusy
from lulu.store.bus import HEALTH, SESSIONS, Bus
from lulu.store.connection import open_writer

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Jobs in one transaction at most.
MAX_BATCH = 500
#: Under load the writer lets jobs gather this long (seconds), so that they share one sync to disk.
GATHER_SECONDS = 0.01
#: A batch of this many means load.
_BUSY_BATCH = 4
#: Pause between tries while the file cannot be written (seconds).
_RETRY_SECONDS = 0.25
#: A person waits this long for a commit (seconds) before the request is withdrawn.
PATIENCE = 8.0


@dataclass(frozen=True, kw_only=True)
class StoreHealth:
    """Whether commits go through, and how many jobs wait if not."""

    ok: bool = True
    problem: LuluError | None = None
    waiting: int = 0


@dataclass
class Transaction:
    """What a job sees: SQL through ``dataset``, and the topics to ring after the commit."""

    _db: dataset.Database
    rung: list[str] = field(default_factory=list)

    def query(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Run one statement with named ``:parameters``; every row at once (no cursor outlives this call)."""
        return [dict(row) for row in self._db.query(sql, **values)]

    def update(self, table: str, row: dict[str, Any]) -> None:
        """Set columns of the row with this ``id``."""
        self._db[table].update(row, ["id"], ensure=False)

    def ring(self, *topics: str) -> None:
        """Ring these after the commit."""
        self.rung.extend(topics)


Job = Callable[[Transaction], T]


@dataclass
class _Request(Generic[T]):
    job: Job[T]
    answer: Future[T] = field(default_factory=Future)
    withdrawn: bool = False


class Writer:
    """Owns the writing connection and its thread."""

    def __init__(self, path: Path, bus: Bus) -> None:
        self._path = path
        self._bus = bus
        self._queue: queue.SimpleQueue[_Request[Any] | None] = queue.SimpleQueue()
        self._health = StoreHealth()
        self._closing = threading.Event()
        self._last_batch = 0
        self._retrying = 0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def health(self) -> StoreHealth:
        """How the last try to commit went."""
        if self._health.ok:
            return self._health
        return StoreHealth(ok=False, problem=self._health.problem, waiting=self.waiting)

    @property
    def waiting(self) -> int:
        """Jobs that are not committed yet."""
        return self._queue.qsize() + self._retrying

    def submit(self, job: Job[T]) -> Future[T]:
        """Queue a job. It may run several times, but is committed once; it must only touch its transaction."""
        return self._put(job).answer

    def commit(self, job: Job[T]) -> T:
        """Queue a job and wait for its commit. Raises what the job raises, or ``StoreBusy`` after ``PATIENCE``."""
        request = self._put(job)
        try:
            return request.answer.result(PATIENCE)
        except TimeoutError:
            request.withdrawn = True
            # The writer answers every request: it sees the mark before its next try, or this try succeeds.
            return request.answer.result()

    def close(self) -> None:
        """Commit what is queued, then let go of the file. A file that cannot be written is given a few tries more."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()

    def _put(self, job: Job[T]) -> _Request[T]:
        if self._closing.is_set():
            raise StoreBusy("Lulu is shutting down.", safe="Nothing was accepted.", next_step="Start it again.")
        request = _Request(job)
        # From here on nobody can cancel it: an answer to a cancelled Future would end the writer's thread.
        request.answer.set_running_or_notify_cancel()
        self._queue.put(request)
        return request

    def _run(self) -> None:
        db = open_writer(self._path)
        while True:
            batch, last = self._gather()
            self._commit(db, batch)
            if last:
                break
        db.close()

    def _gather(self) -> tuple[list[_Request[Any]], bool]:
        """What to commit together, and whether it is the last. Under load, jobs may gather for a moment."""
        first = self._queue.get()
        if first is None:
            return [], True
        batch = [first]
        until = time.monotonic() + (GATHER_SECONDS if self._last_batch >= _BUSY_BATCH else 0)
        while len(batch) < MAX_BATCH:
            pause = until - time.monotonic()
            try:
                request = self._queue.get(timeout=pause) if pause > 0 else self._queue.get_nowait()
            except queue.Empty:
                break
            if request is None:
                return batch, True
            batch.append(request)
        self._last_batch = len(batch)
        return batch, False

    def _commit(self, db: dataset.Database, batch: list[_Request[Any]]) -> None:
        tries_left = 8
        while batch := self._still_wanted(batch):
            self._retrying = len(batch)
            try:
                topics = self._try(db, batch)
            except DBAPIError as exc:
                self._report(exc)
                tries_left -= self._closing.is_set()
                if tries_left == 0:
                    self._give_up(batch, exc)
                    break
                time.sleep(_RETRY_SECONDS)
                continue
            if not self._health.ok:
                self._health = StoreHealth()
                topics += [HEALTH, SESSIONS]
            self._bus.ring(topics)
            break
        self._retrying = 0

    def _try(self, db: dataset.Database, batch: list[_Request[Any]]) -> list[str]:
        """One transaction over the batch; the topics to ring. A job that raises is answered and left out."""
        while True:
            transaction = Transaction(db)
            answers: list[Any] = []
            try:
                with db:
                    db.query("BEGIN IMMEDIATE")
                    for request in batch:
                        answers.append(request.job(transaction))
            except Exception as exc:
                _let_go(db)
                of_the_file = isinstance(exc, DBAPIError) and not _is_job_fault(exc)
                if of_the_file or len(answers) == len(batch):
                    raise
                batch.pop(len(answers)).answer.set_exception(exc)
            else:
                for request, answer in zip(batch, answers, strict=True):
                    request.answer.set_result(answer)
                return transaction.rung
            if not batch:
                return []

    def _still_wanted(self, batch: list[_Request[Any]]) -> list[_Request[Any]]:
        for request in batch:
            if request.withdrawn:
                problem = self._health.problem
                request.answer.set_exception(
                    StoreBusy(
                        f"This could not be saved. {problem.happened if problem else ''}".strip(),
                        safe="Nothing was accepted, and nothing that was saved before is lost.",
                        next_step=(problem.next_step if problem else "") or "Try again.",
                    )
                )
        return [request for request in batch if not request.withdrawn]

    def _report(self, exc: DBAPIError) -> None:
        was_ok = self._health.ok
        self._health = StoreHealth(ok=False, problem=_problem(self._path, exc))
        if was_ok:
            log.warning("%s", self._health.problem)
            self._bus.ring([HEALTH, SESSIONS])

    def _give_up(self, batch: list[_Request[Any]], exc: DBAPIError) -> None:
        log.error("%d changes could not be saved before Lulu stopped: %s", len(batch), exc.orig)
        for request in batch:
            request.answer.set_exception(_problem(self._path, exc))


def _let_go(db: dataset.Database) -> None:
    """End what a failed COMMIT left open: dataset forgets the transaction, the connection does not."""
    connection = db.executable
    if connection.in_transaction():
        connection.rollback()


def _is_job_fault(exc: DBAPIError) -> bool:
    """Whether the statement was wrong, rather than the file or the disk."""
    name = getattr(exc.orig, "sqlite_errorname", "SQLITE_ERROR")
    return bool(
        name.startswith(("SQLITE_CONSTRAINT", "SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE"))
    )


def _problem(path: Path, exc: DBAPIError) -> LuluError:
    name = getattr(exc.orig, "sqlite_errorname", "")
    safe = "Everything shown is saved; what came since waits in memory and is saved as soon as it can be."
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusy(
            "Another program has Lulu's database locked.", safe=safe, next_step=f"Close whatever else has {path} open."
        )
    if name == "SQLITE_FULL":
        return StoreBusy("The disk is full.", safe=safe, next_step=f"Free some space on the disk of {path.parent}.")
    return DatabaseUnwritable(
        f"Lulu's database cannot be written ({exc.orig}).", safe=safe, next_step=f"Look at {path} and its folder."
    )
