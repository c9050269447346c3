"""Writes the search index: adds the text of events and deletes it. Contains no search."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from lulu.errors import StoreError
from lulu.model.events import (
    Event,
    ToolUse,
    Unknown,
)
from lulu.store import rows
from lulu.store.database import Transaction
from lulu.store.sqlite import errors
from lulu.text.unicode import as_text
from lulu.transcript.search_text import searchable_text

#: Older events that are indexed in one transaction. A commit of a running agent waits for one such step at most.
STEP = 200


def kind_of(event: Event) -> str:
    """Return the event's type and its tool, each in angle brackets."""
    event_type = event.event_type if isinstance(event, Unknown) else event.type
    tool = f"<{event.name}>" if isinstance(event, ToolUse) else ""
    return as_text(f"<{event_type}>{tool}")


def index_event(tx: Transaction, event_id: int, event: Event) -> None:
    """Add an event to the index in the transaction that stores it."""
    text = searchable_text(event) if tx.indexing else ""
    if text:
        tx.index(event_id, text, kind_of(event))


def rebuild(tx: Transaction) -> None:
    """Replace a damaged index by an empty one; ``index_older`` fills it."""
    if not tx.indexing:
        return
    # Events of this transaction have ids below the mark, so ``index_older`` finds them.
    tx.forget_index()
    try:
        tx.query("DROP TABLE IF EXISTS search")
    except DBAPIError as exc:
        if not errors.is_of_the_index(exc):
            raise
        # Too damaged to be dropped: delete its line in the schema, then its tables one by one.
        tx.query("PRAGMA writable_schema=ON")
        tx.query("DELETE FROM sqlite_master WHERE name = 'search'")
        tx.query("PRAGMA writable_schema=RESET")
    tx.query("DROP TABLE IF EXISTS search_data")
    tx.query("DROP TABLE IF EXISTS search_idx")
    tx.query("DROP TABLE IF EXISTS search_content")
    tx.query("DROP TABLE IF EXISTS search_docsize")
    tx.query("DROP TABLE IF EXISTS search_config")
    tx.query("CREATE VIRTUAL TABLE search USING fts5(text, kind, tokenize = 'trigram')")
    tx.query("UPDATE search_progress SET below = (SELECT coalesce(max(id), 0) + 1 FROM conversation_events)")


def forget_session(tx: Transaction, session_id: str) -> None:
    """Delete a session's events from the index. Call it before they are deleted."""
    if not tx.indexing:
        return
    tx.write_index()
    tx.query(
        "DELETE FROM search WHERE rowid IN (SELECT id FROM conversation_events WHERE session_id = :id)", id=session_id
    )


def index_older(tx: Transaction) -> bool:
    """Index the next step of older events. Returns whether there may be more. Raises ``StoreError``."""
    if not tx.indexing:
        raise StoreError("It is damaged, and could not be mended.")
    mark = tx.query("SELECT below FROM search_progress")
    below = int(mark[0]["below"]) if mark else 0
    found = tx.query(
        "SELECT id, session_id, event_type, payload, created_at FROM conversation_events WHERE id < :below "
        "ORDER BY id DESC LIMIT :step",
        below=below,
        step=STEP,
    )
    for row in found:
        stored = rows.event(row)
        index_event(tx, stored.id, stored.event)
    tx.query("UPDATE search_progress SET below = :below", below=int(found[-1]["id"]) if found else 0)
    return bool(found)
