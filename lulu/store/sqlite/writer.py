"""The one thread that writes. It commits jobs of several callers together, then notifies the bus.

While the file is locked or the disk is full, jobs wait and are tried again. Only a job whose caller waits has a time
limit: after it the job is withdrawn, and its caller gets ``StoreBusy``.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import dataset
from sqlalchemy.exc import DBAPIError

from lulu.errors import DatabaseUnwritable, LuluError, StoreBusy
from lulu.store.bus import HEALTH, SESSIONS, Bus
from lulu.store.database import Job, StoreHealth
from lulu.store.sqlite import errors
from lulu.store.sqlite.connection import LOCK_WAIT_MS, open_writer, start_afresh
from lulu.store.sqlite.transaction import SqliteTransaction

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Most jobs in one transaction.
MAX_BATCH = 500
#: Seconds that the writer collects jobs under load, so that they share one sync to disk.
GATHER_SECONDS = 0.01
#: A batch of this many jobs counts as load.
_BUSY_BATCH = 4
#: Seconds between two tries while the file cannot be written.
RETRY_SECONDS = 0.25
#: Seconds that a caller waits for a commit before its job is withdrawn.
PATIENCE = 8.0
#: Most repairs of the search index; after that it is no longer written.
MENDS = 3
#: Seconds that a closing writer goes on trying to write a file that it cannot write.
CLOSE_SECONDS = 2.0


@dataclass(eq=False)
class _Request(Generic[T]):
    job: Job[T]
    answer: Future[T] = field(default_factory=Future)
    #: Its caller waits no longer, so it must not be tried again.
    withdrawn: bool = False
    #: A try is under way and may still succeed.
    tried: bool = False


class _JobFailed(Exception):
    """A job raised an exception. Only its own caller gets it."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason = reason


class WriterThread:
    """Owns the writing connection and its thread."""

    def __init__(
        self,
        path: Path,
        bus: Bus,
        *,
        mend_index: Job[None] | None = None,
        on_mended: Callable[[], object] = lambda: None,
    ) -> None:
        self._path = path
        self._bus = bus
        self._mend_index = mend_index
        self._on_mended = on_mended
        self._mends_left = MENDS
        self._file = _identity(path)
        self._queue: queue.SimpleQueue[_Request[Any] | None] = queue.SimpleQueue()
        self._health = StoreHealth()
        #: Guards ``_give_up_at`` and the two flags of each request, for callers and the thread.
        self._lock = threading.Lock()
        self._give_up_at: float | None = None
        self._gave_up = False
        self._last_batch = 0
        self._retrying = 0
        self._thread = threading.Thread(target=self._run, args=[open_writer(path)], name="store-writer", daemon=True)
        self._thread.start()
        # A first commit without changes, so that ``health`` reports immediately if the file cannot be written.
        self.submit(lambda transaction: transaction.query("SELECT 1"))

    @property
    def health(self) -> StoreHealth:
        """The result of the last try to commit."""
        health = self._health
        return health if health.ok else StoreHealth(ok=False, problem=health.problem, waiting=self.waiting)

    @property
    def waiting(self) -> int:
        """Number of jobs that are not committed yet."""
        return self._queue.qsize() + self._retrying

    def submit(self, job: Job[T]) -> Future[T]:
        """Queue a job. It may run several times but is committed once, so it must only use its transaction."""
        return self._put(job).answer

    def commit(self, job: Job[T]) -> T:
        """Queue a job and wait for its commit. Returns its result.

        Raises what the job raises, or ``StoreBusy`` after ``PATIENCE`` seconds.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("A listener of the bus runs in the writer's thread: it cannot wait for a commit.")
        request = self._put(job)
        try:
            return request.answer.result(PATIENCE)
        except TimeoutError:
            if self._withdraw(request):
                raise self._busy() from None
            # A try is under way: the answer follows when it ends, successful or withdrawn.
            return request.answer.result()

    def close(self, patience: float | None = None) -> None:
        """Commit the queued jobs and close the file, within ``patience`` seconds if it cannot be written."""
        with self._lock:
            if self._give_up_at is None:
                self._give_up_at = time.monotonic() + (CLOSE_SECONDS if patience is None else patience)
                self._queue.put(None)
        self._thread.join()

    def _put(self, job: Job[T]) -> _Request[T]:
        request = _Request(job)
        # From here on the Future cannot be cancelled: answering a cancelled one would end the writer's thread.
        request.answer.set_running_or_notify_cancel()
        # Under the lock, so that no job is queued after the mark that ends the thread.
        with self._lock:
            if self._give_up_at is not None:
                raise StoreBusy("Lulu is shutting down.", safe="Nothing was accepted.", next_step="Start it again.")
            self._queue.put(request)
        return request

    def _withdraw(self, request: _Request[T]) -> bool:
        """Mark a request as withdrawn. Returns whether it is certain that it will not be committed."""
        with self._lock:
            request.withdrawn = True
            return not (request.tried or request.answer.done())

    # -- in the thread -----------------------------------------------------------------------------------------------

    def _run(self, db: dataset.Database) -> None:
        last = False
        while not last:
            batch, last = self._gather()
            try:
                self._commit(db, batch)
            except Exception:
                # Top of the thread: the waiting callers get an error, and later jobs are still written.
                log.exception("changes could not be written")
                for request in batch:
                    _answer(request, failure=self._busy())
        db.close()

    def _gather(self) -> tuple[list[_Request[Any]], bool]:
        """Return the next batch, and whether it is the last. Under load it waits shortly for more jobs."""
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
        """Commit the batch, however long it takes. Never raises: an ended thread would answer no caller."""
        if self._gave_up:
            self._give_up(batch)
            return
        while batch := self._claim(batch):
            self._retrying = len(batch)
            try:
                topics = self._try(db, batch)
            except BaseException as exc:
                start_afresh(db)
                if errors.is_of_the_index(exc) and self._mend(db):
                    continue
                self._report(exc)
                if self._too_late():
                    log.error("%d changes could not be saved before Lulu stopped.", self.waiting)
                    self._give_up(batch)
                    break
                self._unclaim(batch)
                time.sleep(RETRY_SECONDS)
            else:
                self._report_success(topics)
                break
        self._retrying = 0

    def _try(self, db: dataset.Database, batch: list[_Request[Any]]) -> list[str]:
        """Run the batch in one transaction. Returns the topics to notify.

        A job that raises is answered and left out, and the others are tried again.
        """
        while batch:
            self._check_place()
            transaction = SqliteTransaction(db, indexing=self._mends_left > 0)
            answers: list[Any] = []
            try:
                with db:
                    db.query("BEGIN IMMEDIATE")
                    for request in batch:
                        answers.append(_result(request.job, transaction))
                    transaction.write_index()
            except _JobFailed as failed:
                _answer(batch.pop(len(answers)), failure=errors.of_a_job(failed.reason))
                continue
            for request, answer in zip(batch, answers, strict=True):
                _answer(request, answer)
            return transaction.rung
        return []

    def _mend(self, db: dataset.Database) -> bool:
        """Create a new search index, so that a damaged one stops no write. Returns whether to try again."""
        if self._mend_index is None or self._mends_left == 0:
            return False
        self._mends_left -= 1
        log.warning("the search index is damaged and is begun anew")
        try:
            with db:
                db.query("BEGIN IMMEDIATE")
                self._mend_index(SqliteTransaction(db))
            self._on_mended()
        except BaseException:
            start_afresh(db)
            self._mends_left = 0
            log.exception("the search index cannot be mended: what comes now is not found by search")
            self._on_mended()
        return True

    def _check_place(self) -> None:
        """Raise if the file was moved or replaced: SQLite would go on writing to a file without that name."""
        if _identity(self._path) != self._file:
            raise DatabaseUnwritable(
                f"Lulu's database {self._path} was moved, replaced or deleted while Lulu runs.",
                safe="What came since waits in memory and is saved when the file is back.",
                next_step="Put the file back, or restart Lulu to begin with what is there now.",
            )

    def _claim(self, batch: list[_Request[Any]]) -> list[_Request[Any]]:
        """Return the requests that are still wanted, marked as under way; answer the withdrawn ones."""
        with self._lock:
            wanted = [request for request in batch if not request.withdrawn]
            for request in wanted:
                request.tried = True
        for request in batch:
            if request.withdrawn and not request.tried:
                _answer(request, failure=self._busy())
        return wanted

    def _unclaim(self, batch: Iterable[_Request[Any]]) -> None:
        with self._lock:
            for request in batch:
                request.tried = False

    def _busy(self) -> StoreBusy:
        problem = self._health.problem
        return StoreBusy(
            f"This could not be saved. {problem.happened if problem else ''}".strip(),
            safe="Nothing was accepted, and nothing that was saved before is lost.",
            next_step=(problem.next_step if problem else "") or "Try again.",
        )

    def _report(self, exc: BaseException) -> None:
        problem = errors.while_writing(self._path, exc)
        before, self._health = self._health.problem, StoreHealth(ok=False, problem=problem)
        if before is None or before.happened != problem.happened:
            known = isinstance(exc, DBAPIError | LuluError)
            log.warning("%s", problem, exc_info=None if known else exc)
            self._bus.ring([HEALTH, SESSIONS])

    def _report_success(self, topics: list[str]) -> None:
        if not self._health.ok:
            self._health = StoreHealth()
            topics = [*topics, HEALTH, SESSIONS]
        self._bus.ring(topics)

    def _too_late(self) -> bool:
        """Whether another try might end after the time limit for closing."""
        next_end = time.monotonic() + RETRY_SECONDS + LOCK_WAIT_MS / 1000
        return self._give_up_at is not None and next_end > self._give_up_at

    def _give_up(self, batch: list[_Request[Any]]) -> None:
        self._gave_up = True
        for request in batch:
            _answer(request, failure=self._busy())


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _result(job: Job[T], transaction: SqliteTransaction) -> T:
    try:
        return job(transaction)
    except errors.IndexDamaged:
        raise
    except DBAPIError as exc:
        if errors.is_job_fault(exc):
            raise _JobFailed(exc) from exc
        raise
    except BaseException as exc:
        raise _JobFailed(exc) from exc


def _answer(request: _Request[Any], result: object = None, *, failure: BaseException | None = None) -> None:
    """Resolve a request's Future. Errors in it are only logged: the commit itself has succeeded."""
    try:
        if failure is None:
            request.answer.set_result(result)
        else:
            request.answer.set_exception(failure)
    except BaseException:
        log.exception("a caller could not be told")
