"""Commands, live text, approvals, more columns. All are nullable, so the seed's INSERTs still work."""

from __future__ import annotations

from alembic import op

revision = "002"
down_revision = "001"

_STATEMENTS = (
    "ALTER TABLE sessions ADD COLUMN working_directory TEXT",
    "ALTER TABLE sessions ADD COLUMN permission_mode TEXT",
    "ALTER TABLE sessions ADD COLUMN agent TEXT",
    "ALTER TABLE sessions ADD COLUMN parent_session_id TEXT REFERENCES sessions(id)",
    "ALTER TABLE sessions ADD COLUMN agent_pid INTEGER",
    "ALTER TABLE sessions ADD COLUMN agent_started_at REAL",
    "ALTER TABLE conversation_events ADD COLUMN uid TEXT",
    "CREATE UNIQUE INDEX idx_events_uid ON conversation_events(session_id, uid) WHERE uid IS NOT NULL",
    # The seed's times have a space where ours have a T. Without ``replace`` the two would not sort together.
    "CREATE INDEX idx_sessions_created ON sessions(replace(created_at, ' ', 'T'))",
    "CREATE INDEX idx_sessions_folder ON sessions(working_directory, replace(created_at, ' ', 'T'))",
    "CREATE INDEX idx_sessions_status ON sessions(status)",
    """
    CREATE TABLE commands (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT REFERENCES sessions(id),
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        actor TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'pending',
        error TEXT,
        created_at TEXT NOT NULL,
        taken_at TEXT,
        done_at TEXT
    )
    """,
    "CREATE INDEX idx_commands_status ON commands(status, id)",
    "CREATE INDEX idx_commands_session ON commands(session_id, id)",
    """
    CREATE TABLE live_text (
        session_id TEXT PRIMARY KEY REFERENCES sessions(id),
        message_id TEXT,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE approvals (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL REFERENCES sessions(id),
        tool_use_id TEXT,
        agent_id TEXT,
        tool_name TEXT NOT NULL,
        tool_input TEXT NOT NULL,
        suggestions TEXT,
        status TEXT NOT NULL DEFAULT 'pending',
        updated_input TEXT,
        auto_approved INTEGER NOT NULL DEFAULT 0,
        rule_id INTEGER,
        reason TEXT,
        message TEXT,
        decided_by TEXT,
        created_at TEXT NOT NULL,
        decided_at TEXT
    )
    """,
    "CREATE INDEX idx_approvals_status ON approvals(status, created_at)",
    "CREATE INDEX idx_approvals_session ON approvals(session_id, created_at)",
)


def upgrade() -> None:
    """Add the columns and tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
