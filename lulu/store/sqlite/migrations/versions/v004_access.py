"""Logins, devices and share links, one row each; and settings that are changed on a page, by name."""

from __future__ import annotations

from alembic import op

revision = "004"
down_revision = "003"

_STATEMENTS = (
    """
    CREATE TABLE access (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        token_hash TEXT NOT NULL UNIQUE,
        session_id TEXT REFERENCES sessions(id),
        label TEXT NOT NULL DEFAULT '',
        options TEXT,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        expires_at TEXT,
        used_at TEXT,
        revoked_at TEXT,
        revoked_by TEXT,
        last_seen_at TEXT
    )
    """,
    "CREATE INDEX idx_access_session ON access(session_id) WHERE session_id IS NOT NULL",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at TEXT NOT NULL)",
)


def upgrade() -> None:
    """Add the tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
