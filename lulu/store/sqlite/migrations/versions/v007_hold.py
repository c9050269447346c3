"""The time when Stop put a queued prompt on hold; NULL for a prompt that is not on hold."""

from __future__ import annotations

from alembic import op

revision = "007"
down_revision = "006"

_STATEMENTS = (
    "ALTER TABLE commands ADD COLUMN held_at TEXT",
    "CREATE INDEX idx_commands_held ON commands(session_id) WHERE held_at IS NOT NULL",
)


def upgrade() -> None:
    """Add the column, and the index for counting a session's prompts on hold."""
    for statement in _STATEMENTS:
        op.execute(statement)
