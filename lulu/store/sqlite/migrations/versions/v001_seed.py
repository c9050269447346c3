"""The schema of every ``lulu.db`` file there was before migrations, column for column.

Such a file runs through here too: what it has stays as it is, what a crash kept its program from making is made.
"""

from __future__ import annotations

from alembic import op

revision = "001"
down_revision = None


def upgrade() -> None:
    """Create what is missing of the seed's tables."""
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
