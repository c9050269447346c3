"""Empties the search index: its texts had terminal sequences between visible letters."""

from __future__ import annotations

from alembic import op

revision = "009"
down_revision = "008"

_STATEMENTS = (
    "DROP TABLE search",
    "CREATE VIRTUAL TABLE search USING fts5(text, kind, tokenize = 'trigram')",
    "UPDATE search_progress SET below = (SELECT coalesce(max(id), 0) + 1 FROM conversation_events)",
)


def upgrade() -> None:
    """Create the index again; the host indexes the stored events in the background."""
    for statement in _STATEMENTS:
        op.execute(statement)
