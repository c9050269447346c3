"""Opens the SQLite file: one writing connection, a pool of readers, and engines for one-off work.

``dataset`` serves as a connection pool only; all SQL of Lulu is written by hand.
"""

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

#: Milliseconds that a commit waits for another program's lock before the writer reports it and tries again.
LOCK_WAIT_MS = 1000


def open_writer(path: Path) -> dataset.Database:
    """Return the writing connection. With ``synchronous=FULL`` a commit survives a power cut."""
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
    """Return the reading connections. They cannot write and never checkpoint.

    One writer that is also the only checkpointer cannot meet SQLite's WAL-reset bug (fixed in 3.51.3). The pool may
    grow without a limit: ``dataset`` holds its lock while it waits for a connection, so a full pool would stop every
    thread.
    """
    return _open(
        path,
        pool={"pool_size": 8, "max_overflow": -1},
        pragmas=["PRAGMA busy_timeout=5000", "PRAGMA query_only=ON", "PRAGMA wal_autocheckpoint=0"],
    )


def bare_engine(path: Path, *, mode: str = "rw") -> Engine:
    """Return an engine for migration, backup or check. ``mode`` is SQLite's: ``ro``, ``rw`` or ``rwc``."""
    return create_engine("sqlite://", creator=_connector(path, mode), poolclass=NullPool)


def start_afresh(db: dataset.Database) -> None:
    """Close this thread's connection and all idle ones after an error; the next use opens a new one.

    ``dataset`` returns a connection to the pool when a transaction ends, but not when its COMMIT fails. Such a
    connection keeps both the transaction and SQLite's lock.
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
    # ``isolation_level=None``: the writer sends BEGIN IMMEDIATE itself, so sqlite3 must not begin a transaction.
    connect = _connector(path, "rw", isolation_level=None, check_same_thread=False)
    return dataset.connect(
        # A fixed name: the real one would need escaping in a URL, and errors in the log would show it.
        "sqlite:///lulu.db",
        row_type=dict,
        ensure_schema=False,
        engine_kwargs={"creator": connect, "hide_parameters": True, **pool},
        on_connect_statements=pragmas,
    )


def _connector(path: Path, mode: str, **options: Any) -> Callable[[], sqlite3.Connection]:
    # Only ``rwc`` creates a file: a missing database must not be replaced by an empty one.
    address = f"{path.absolute().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(address, uri=True, **options)
        connection.text_factory = _text
        connection.create_function("fold", 1, _folded, deterministic=True)
        return connection

    return connect


def folded(text: str) -> str:
    """Return the text as it is compared: case-folded, in normal form, single spaces between words."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def _folded(stored: bytes | None) -> str:
    # SQL passes bytes (``CAST(… AS BLOB)``), because a stored text may not be UTF-8.
    return "" if stored is None else folded(stored.decode("utf-8", "replace"))


def _text(stored: bytes) -> str:
    # Bytes that are not UTF-8 (a damaged page, another program) must not make a whole session unreadable.
    return stored.decode("utf-8", "surrogateescape")
