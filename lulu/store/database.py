"""Defines what the store needs of a database: a reader, a writer, a transaction. Knows no SQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from lulu.errors import Forbidden, LuluError

T = TypeVar("T")


class Transaction(Protocol):
    """One transaction, as a job sees it.

    Runs SQL with named ``:parameters``, collects rows for the search index, and topics to ring after the commit.
    """

    @property
    def indexing(self) -> bool: ...
    def query(self, sql: str, **values: Any) -> list[dict[str, Any]]: ...
    def update(self, table: str, row: dict[str, Any]) -> None: ...
    def delete(self, table: str, **values: Any) -> None: ...
    def index(self, event_id: int, text: str, kind: str) -> None: ...
    def write_index(self) -> None: ...
    def forget_index(self) -> None: ...
    def ring(self, *topics: str) -> None: ...


#: May run several times, but is committed once. It must only use its transaction.
Job = Callable[[Transaction], T]


class Reader(Protocol):
    """Reads committed rows, in a transaction for each query. ``close`` waits for running queries."""

    def query(self, sql: str, **values: Any) -> list[dict[str, Any]]: ...
    def close(self, patience: float) -> None: ...


@dataclass(frozen=True, kw_only=True)
class StoreHealth:
    """Whether commits succeed, and how many jobs wait if not."""

    ok: bool = True
    problem: LuluError | None = None
    waiting: int = 0


class Writer(Protocol):
    """Commits jobs in their order.

    ``submit`` does not wait; ``commit`` waits for the commit, and raises the job's error or ``StoreBusy``.
    ``waiting`` counts the jobs that are not committed.
    """

    @property
    def health(self) -> StoreHealth: ...
    @property
    def waiting(self) -> int: ...
    def submit(self, job: Job[T]) -> Future[T]: ...
    def commit(self, job: Job[T]) -> T: ...
    def close(self, patience: float | None = None) -> None: ...


class NoWriter:
    """Takes the writer's place in a process that only reads. Every write raises ``Forbidden``."""

    health = StoreHealth()
    waiting = 0

    def submit(self, job: Job[T]) -> Future[T]:
        """Raise ``Forbidden``."""
        raise Forbidden("This process only reads.", safe="Nothing was changed.")

    def commit(self, job: Job[T]) -> T:
        """Raise ``Forbidden``."""
        return self.submit(job).result()

    def close(self, patience: float | None = None) -> None:
        """Do nothing: no file is open."""
