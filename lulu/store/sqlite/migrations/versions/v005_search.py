"""The search index: the text of every event by trigrams, and the mark of the oldest indexed event."""

from __future__ import annotations

from alembic import op

revision = "005"
down_revision = "004"

_STATEMENTS = (
    # ``rowid`` is the event's id. ``kind`` is ``<type>`` and ``<tool name>``, so that a filter narrows the match.
    "CREATE VIRTUAL TABLE search USING fts5(text, kind, tokenize = 'trigram')",
    """
    CREATE TABLE search_progress (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        -- Events below this id are still to be indexed, from the newest to the oldest.
        below INTEGER NOT NULL
    )
    """,
    "INSERT INTO search_progress (id, below) SELECT 1, coalesce(max(id), 0) + 1 FROM conversation_events",
)


def upgrade() -> None:
    """Create an empty index; the host indexes the stored events in the background."""
    for statement in _STATEMENTS:
        op.execute(statement)
