"""SQLite connections that fail on demand, as a disk would: real ones, with an error in the place of one call."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

#: SQLite's codes for what a file or a disk does.
CODES = {
    "SQLITE_BUSY": "database is locked",
    "SQLITE_FULL": "database or disk is full",
    "SQLITE_IOERR_WRITE": "disk I/O error",
    "SQLITE_IOERR_FSYNC": "disk I/O error",
    "SQLITE_READONLY": "attempt to write a readonly database",
    "SQLITE_CANTOPEN": "unable to open database file",
    "SQLITE_PROTOCOL": "locking protocol",
}


def of_the_file(code: str) -> sqlite3.OperationalError:
    """The error that sqlite3 raises for this code."""
    error = sqlite3.OperationalError(CODES[code])
    error.sqlite_errorname = code
    return error


class Faults:
    """Which calls of the writer's connections fail. ``calls`` counts all of them; the first is number 1."""

    def __init__(self) -> None:
        self.calls = 0
        self.commits = 0
        self._at_call: dict[int, BaseException] = {}
        self._at_commit: dict[int, BaseException] = {}
        self._always: Callable[[], BaseException] | None = None
        #: Run on every new connection.
        self.on_connect: Callable[[sqlite3.Connection], object] = lambda connection: None

    def fail_call(self, number: int, error: BaseException) -> None:
        """Call ``number`` from now on raises this: an execute, a commit, a rollback or a connect."""
        self._at_call[self.calls + number] = error

    def fail_commit(self, number: int, error: BaseException) -> None:
        """Commit ``number`` from now on raises this, with its transaction still open."""
        self._at_commit[self.commits + number] = error

    @contextmanager
    def failing(self, make: Callable[[], BaseException]) -> Iterator[None]:
        """Every call raises what ``make`` gives."""
        self._always = make
        yield
        self._always = None

    def call(self, *, commits: bool = False) -> None:
        """Count a call, and raise where it is meant to fail."""
        if threading.current_thread().name != "store-writer":
            return
        self.calls += 1
        self.commits += commits
        error = self._at_call.pop(self.calls, None)
        if commits:
            error = error or self._at_commit.pop(self.commits, None)
        if error is None and self._always is not None:
            error = self._always()
        if error is not None:
            raise error


def install(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Let every connection that is opened from now on obey the ``Faults`` that are returned."""
    faults = Faults()
    connect = sqlite3.connect

    class Cursor(sqlite3.Cursor):
        def execute(self, *arguments: Any) -> Any:
            faults.call()
            return super().execute(*arguments)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(Cursor)

        def execute(self, *arguments: Any) -> Any:
            return self.cursor().execute(*arguments)

        def commit(self) -> None:
            faults.call(commits=self.in_transaction)
            super().commit()

        def rollback(self) -> None:
            faults.call()
            super().rollback()

    def open_connection(*arguments: Any, **options: Any) -> sqlite3.Connection:
        faults.call()
        connection = connect(*arguments, **options, factory=Connection)
        faults.on_connect(connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", open_connection)
    return faults
