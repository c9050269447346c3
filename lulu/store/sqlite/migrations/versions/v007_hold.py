"""Queued prompts that a stop has put on hold: when, or nothing for a prompt that is sent when its turn comes."""

from __future__ import annotations

from alembic import op

revision = "007"
down_revision = "006"

_STATEMENTS = (
    "ALTER TABLE commands ADD COLUMN held_at TEXT",
    "CREATE INDEX idx_commands_held ON commands(session_id) WHERE held_at IS NOT NULL",
)


def upgrade() -> None:
    """Add the column and the index that counts the held ones of a session."""
    for statement in _STATEMENTS:
        op.execute(statement)
