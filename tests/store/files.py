"""Database files as other programs and other versions of Lulu leave them, and how to look at one from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine

import lulu.store

#: The schema that the seed creates, in its own words.
SEED_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    title TEXT,
    prompt TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'running',
    model TEXT,
    session_id_claude TEXT,
    cost_usd REAL,
    duration_ms REAL,
    num_turns INTEGER,
    created_at TEXT NOT NULL DEFAULT (datetime('now')),
    updated_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE TABLE IF NOT EXISTS conversation_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL REFERENCES sessions(id),
    event_type TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX IF NOT EXISTS idx_events_session ON conversation_events(session_id, id);
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY);
INSERT OR IGNORE INTO schema_version (version) VALUES (1);
"""

#: Its INSERTs and its UPDATE.
SEED_SESSION = "INSERT INTO sessions (id, title, prompt, model) VALUES (?, ?, ?, ?)"
SEED_EVENT = "INSERT INTO conversation_events (session_id, event_type, payload) VALUES (?, ?, ?)"
SEED_COMPLETED = (
    "UPDATE sessions SET status = 'completed', session_id_claude = ?, cost_usd = ?, duration_ms = ?, num_turns = ?, "
    "updated_at = datetime('now') WHERE id = ?"
)

_MIGRATIONS = Path(lulu.store.__file__).parent / "sqlite" / "migrations"

Row = tuple[Any, ...]


def connect(path: Path) -> sqlite3.Connection:
    """As any other program would open it; every statement commits by itself."""
    connection = sqlite3.connect(path, isolation_level=None)
    # Lulu's own function: a plan of a statement that uses it can be asked for, its result cannot.
    connection.create_function("fold", 1, bytes)
    return connection


def execute(path: Path, sql: str, *values: object) -> list[Row]:
    """One statement of another program."""
    with closing(connect(path)) as connection:
        return connection.execute(sql, values).fetchall()


def make_seed(path: Path, *, sessions: int = 3, events: int = 5, journal_mode: str = "DELETE") -> Path:
    """A file as the seed leaves it: ``session-0`` … , each with events; the even ones are completed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal_mode}")
        connection.executescript(SEED_SCHEMA)
        connection.execute("BEGIN")
        for number in range(sessions):
            session_id = f"session-{number}"
            connection.execute(SEED_SESSION, (session_id, f"Title {number}", f"Prompt {number}", "sonnet"))
            for place in range(events):
                connection.execute(SEED_EVENT, (session_id, "text", f'{{"content": "said {number}.{place}"}}'))
            if number % 2 == 0:
                connection.execute(SEED_COMPLETED, (f"claude-{number}", 0.25, 1500.0, 2, session_id))
        connection.execute("COMMIT")
    path.chmod(0o644)
    return path


def make_released(path: Path, revision: str) -> Path:
    """A file as the version of Lulu with that revision makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with create_engine(f"sqlite:///{path}", poolclass=NullPool).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return path


def schema_of(path: Path, *, without: frozenset[str] = frozenset({"alembic_version", "sqlite_sequence"})) -> object:
    """Every table's columns, foreign keys and indexes; not the words that made them."""
    with closing(connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: _table(connection, table) for table in sorted(tables) if table not in without}


def _table(connection: sqlite3.Connection, table: str) -> object:
    indexes = connection.execute(f"PRAGMA index_list({table})").fetchall()
    return {
        "columns": connection.execute(f"PRAGMA table_xinfo({table})").fetchall(),
        "foreign keys": connection.execute(f"PRAGMA foreign_key_list({table})").fetchall(),
        "indexes": {
            # The place in the list is the order of creation.
            row[1]: (row[2:], connection.execute(f"PRAGMA index_xinfo({row[1]})").fetchall())
            for row in indexes
        },
    }


def rows_of(path: Path) -> tuple[list[Row], list[Row]]:
    """The seed's columns of every session and every event."""
    with closing(connect(path)) as connection:
        return (
            connection.execute(
                "SELECT id, title, prompt, status, model, session_id_claude, cost_usd, duration_ms, num_turns, "
                "created_at, updated_at FROM sessions ORDER BY id"
            ).fetchall(),
            connection.execute(
                "SELECT id, session_id, event_type, payload, created_at FROM conversation_events ORDER BY id"
            ).fetchall(),
        )


def integrity(path: Path) -> str:
    """SQLite's own verdict."""
    return str(execute(path, "PRAGMA integrity_check")[0][0])


def kept_aside(path: Path, what: str = "corrupt") -> list[Path]:
    """The files that were kept under ``lulu.db.<what>-<time>``, without their side files."""
    found = path.parent.glob(f"{path.name}.{what}-*")
    return sorted(file for file in found if not file.name.endswith(("-wal", "-shm", "-journal")))
