"""The owner's answers about folders, and the sessions that wait for one."""

from __future__ import annotations

from alembic import op

revision = "008"
down_revision = "007"

_STATEMENTS = (
    """
    CREATE TABLE folders (
        folder TEXT PRIMARY KEY,
        trusted INTEGER NOT NULL,
        -- The files that the owner was shown, each with its hash.
        entries TEXT NOT NULL,
        answered_by TEXT NOT NULL,
        answered_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE folder_questions (
        session_id TEXT PRIMARY KEY REFERENCES sessions(id),
        question TEXT NOT NULL,
        -- Where the session goes back to when the prompt is not sent.
        status_before TEXT NOT NULL,
        asked_at TEXT NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Add the tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
