"""Empties the search index: its texts had terminal sequences between the letters that a person sees."""

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
    """Begin the index anew: what is stored is indexed in the background."""
    for statement in _STATEMENTS:
        op.execute(statement)
