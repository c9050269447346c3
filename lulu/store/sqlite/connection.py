"""Opens the SQLite file, and nothing else: the one writing ``dataset`` connection, the pool that readers share, and
bare engines for one-off work on the file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dataset
from sqlalchemy import Engine, NullPool, create_engine

#: A commit waits this long for another program's lock before the writer says so and tries again.
LOCK_WAIT_MS = 1000


def open_writer(path: Path) -> dataset.Database:
    """The writing connection. ``synchronous=FULL``: what a commit returned for survives a power cut."""
    return _open(
        path,
        pool={"pool_size": 1, "max_overflow": 0},
        pragmas=[
            f"PRAGMA busy_timeout={LOCK_WAIT_MS}",
            "PRAGMA synchronous=FULL",
            "PRAGMA foreign_keys=ON",
            "PRAGMA journal_size_limit=67108864",
        ],
    )


def open_reader(path: Path) -> dataset.Database:
    """The reading connections: they cannot write, and never checkpoint.

    One writer that is also the only checkpointer cannot meet SQLite's WAL-reset bug (fixed in 3.51.3).
    Overflow is unbounded: ``dataset`` holds its lock while it waits for a connection, so a full pool would
    stop every thread.
    """
    return _open(
        path,
        pool={"pool_size": 8, "max_overflow": -1},
        pragmas=["PRAGMA busy_timeout=5000", "PRAGMA query_only=ON", "PRAGMA wal_autocheckpoint=0"],
    )


def bare_engine(path: Path, *, mode: str = "rw") -> Engine:
    """For migration, backup and check. ``mode`` is SQLite's: ``ro``, ``rw`` or ``rwc``."""
    return create_engine("sqlite://", creator=_connector(path, mode), poolclass=NullPool)


def start_afresh(db: dataset.Database) -> None:
    """Throw this thread's and all idle connections away, whatever state an error left them in; the next use opens one.

    ``dataset`` gives a connection back when a transaction ends, but not when its COMMIT fails: the connection then
    keeps both the transaction and SQLite's lock.
    """
    connection = db.connections.pop(threading.get_ident(), None)
    if connection is not None:
        with contextlib.suppress(Exception):
            connection.invalidate()
        with contextlib.suppress(Exception):
            connection.close()
    if db.engine is not None:
        db.engine.dispose()


def _open(path: Path, *, pool: dict[str, Any], pragmas: list[str]) -> dataset.Database:
    # ``isolation_level=None``: sqlite3 must not begin on its own; the writer says BEGIN IMMEDIATE itself.
    connect = _connector(path, "rw", isolation_level=None, check_same_thread=False)
    return dataset.connect(
        # The file's own name would have to be escaped for a URL, and a log should not show what people wrote.
        "sqlite:///lulu.db",
        row_type=dict,
        ensure_schema=False,
        engine_kwargs={"creator": connect, "hide_parameters": True, **pool},
        on_connect_statements=pragmas,
    )


def _connector(path: Path, mode: str, **options: Any) -> Callable[[], sqlite3.Connection]:
    # Only ``rwc`` makes a file: a database that vanished must not be replaced by an empty one.
    address = f"{path.absolute().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(address, uri=True, **options)
        connection.text_factory = _text
        connection.create_function("fold", 1, _folded, deterministic=True)
        return connection

    return connect


def folded(text: str) -> str:
    """The text in the form in which texts are compared: small letters, in one form, single blanks between words."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def _folded(stored: bytes | None) -> str:
    # SQL hands bytes over (``CAST(… AS BLOB)``): a text need not be UTF-8.
    return "" if stored is None else folded(stored.decode("utf-8", "replace"))


def _text(stored: bytes) -> str:
    # Bytes that are no UTF-8 (a damaged page, another program) must not make a whole session unreadable.
    return stored.decode("utf-8", "surrogateescape")
