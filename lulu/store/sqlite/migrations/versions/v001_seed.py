"""The schema of every ``lulu.db`` from before the migrations, column for column.

Such a file passes through here, too. Existing tables stay as they are; those that a crash left out are created.
"""

from __future__ import annotations

from alembic import op

revision = "001"
down_revision = None


def upgrade() -> None:
    """Create the missing tables of the seed."""
    op.execute(
        """
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
        )
        """
    )
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS conversation_events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id TEXT NOT NULL REFERENCES sessions(id),
            event_type TEXT NOT NULL,
            payload TEXT NOT NULL,
            created_at TEXT NOT NULL DEFAULT (datetime('now'))
        )
        """
    )
    op.execute("CREATE INDEX IF NOT EXISTS idx_events_session ON conversation_events(session_id, id)")
    op.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
    op.execute("INSERT OR IGNORE INTO schema_version (version) VALUES (1)")
