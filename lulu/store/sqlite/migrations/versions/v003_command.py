"""Pinned and archived sessions, drafts, forks, limits, rules, attachments."""

from __future__ import annotations

from alembic import op

revision = "003"
down_revision = "002"

_STATEMENTS = (
    "ALTER TABLE sessions ADD COLUMN archived_at TEXT",
    "ALTER TABLE sessions ADD COLUMN pinned_at TEXT",
    "ALTER TABLE sessions ADD COLUMN title_source TEXT",
    "ALTER TABLE sessions ADD COLUMN max_cost_usd REAL",
    "ALTER TABLE sessions ADD COLUMN max_turns INTEGER",
    # A fork's first prompt resumes this conversation up to this message, under a new id.
    "ALTER TABLE sessions ADD COLUMN fork_conversation TEXT",
    "ALTER TABLE sessions ADD COLUMN fork_message TEXT",
    "CREATE INDEX idx_sessions_parent ON sessions(parent_session_id) WHERE parent_session_id IS NOT NULL",
    """
    CREATE TABLE auto_approve_rules (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        tool_pattern TEXT NOT NULL,
        action TEXT NOT NULL CHECK (action IN ('approve', 'deny')),
        session_id TEXT REFERENCES sessions(id),
        folder TEXT,
        enabled INTEGER NOT NULL DEFAULT 1,
        created_by TEXT NOT NULL,
        created_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE attachments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT NOT NULL REFERENCES sessions(id),
        name TEXT NOT NULL,
        media_type TEXT NOT NULL,
        bytes BLOB NOT NULL
    )
    """,
    "CREATE INDEX idx_attachments_session ON attachments(session_id, id)",
)


def upgrade() -> None:
    """Add the columns and tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
