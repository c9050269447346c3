"""Opens the SQLite file, and nothing else: the one writing ``dataset`` connection, and the pool that readers share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dataset

#: A commit waits this long for another program's lock before the writer says so and tries again.
LOCK_WAIT_MS = 1000

# ``isolation_level=None``: sqlite3 must not begin on its own; the writer says BEGIN IMMEDIATE itself.
_MANUAL_BEGIN: dict[str, Any] = {"connect_args": {"isolation_level": None, "check_same_thread": False}}


def open_writer(path: Path) -> dataset.Database:
    """The writing connection. ``synchronous=FULL``: what a commit returned for survives a power cut."""
    return dataset.connect(
        f"sqlite:///{path}",
        row_type=dict,
        ensure_schema=False,
        engine_kwargs={**_MANUAL_BEGIN, "pool_size": 1, "max_overflow": 0},
        on_connect_statements=[
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
    return dataset.connect(
        f"sqlite:///{path}",
        row_type=dict,
        ensure_schema=False,
        engine_kwargs={**_MANUAL_BEGIN, "pool_size": 8, "max_overflow": -1},
        on_connect_statements=[
            "PRAGMA busy_timeout=5000",
            "PRAGMA query_only=ON",
            "PRAGMA wal_autocheckpoint=0",
        ],
    )
