"""The interfaces of a database: a reader, a writer, and the transaction of a writer's job."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from lulu.errors import Forbidden, LuluError

T = TypeVar("T")


class Transaction(Protocol):
    """The argument of a writer's job: SQL with named ``:parameters``, search index, changed topics."""

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
    """Reads committed rows, each query in a transaction of its own.

    ``close`` waits for running queries, for ``patience`` seconds at most.
    """

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

    ``submit`` does not wait for the commit. ``commit`` does, and raises what the job raises, or ``StoreBusy``.
    ``waiting`` is the number of jobs that are not committed yet.
    """

    @property
    def health(self) -> StoreHealth: ...
    @property
    def waiting(self) -> int: ...
    def submit(self, job: Job[T]) -> Future[T]: ...
    def commit(self, job: Job[T]) -> T: ...
    def close(self, patience: float | None = None) -> None: ...


class NoWriter:
    """Takes the writer's place in a process that only reads: it refuses every job."""

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
