"""A damaged search index: no event is lost by it, nothing waits for it, and it is made again."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from lulu.errors import StoreError
from lulu.model.actors import LULU
from lulu.model.commands import Delete
from lulu.model.events import Text
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import Query, Store
from lulu.store.database import Transaction
from lulu.store.write import search_index
from tests.store.files import execute, integrity
from tests.support import eventually


def _texts(store: Store, session_id: str) -> list[str]:
    return [str(getattr(event.event, "content", "")) for event in store.events.of_session(session_id)]


DAMAGE = {
    "every block": "UPDATE search_data SET block = x'deadbeef'",
    "blocks of words": "UPDATE search_data SET block = randomblob(length(block)) WHERE id > 10",
    "structure": "UPDATE search_data SET block = x'00' WHERE id = 10",
    "no blocks": "DELETE FROM search_data",
    "no pages": "DELETE FROM search_idx",
    "no contents": "DELETE FROM search_content",
    "no sizes": "DELETE FROM search_docsize",
    "no version": "DELETE FROM search_config",
    "no table of blocks": "DROP TABLE search_data",
    "no table of pages": "DROP TABLE search_idx",
    "no table of contents": "DROP TABLE search_content",
    "no table of versions": "DROP TABLE search_config",
    "no index": "DROP TABLE search",
    "next event's place is taken": "INSERT INTO search (rowid, text, kind) VALUES (52, 'x', '')",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_search_index_costs_no_event_and_mends(
    store: Store, session_id: SessionId, path: Path, damage: str
) -> None:
    store.events.append(session_id, [Text(content=f"some words {number}") for number in range(50)])
    other = store.sessions.insert(Launch(prompt="x", working_directory="/"), status=SessionStatus.COMPLETED)
    store.events.insert(other, Text(content="other words"))
    execute(path, DAMAGE[damage])

    for number in range(5):
        store.events.insert(session_id, Text(content=f"more words {number}"))
    with contextlib.suppress(StoreError):
        store.search.find(Query(text="words"))
    store.commands.submit(Delete(actor=LULU, session_id=other))
    store.events.insert(session_id, Text(content="the last words"))
    for _ in range(3):
        with contextlib.suppress(StoreError):
            store.search.find(Query(text="words"))
    eventually(lambda: store.waiting == 0)

    assert len(_texts(store, session_id)) == 56
    assert store.health.ok
    assert store.notices == []
    assert store.search.find(Query(text="last words")).hits[0].match
    assert integrity(path) == "ok"


def test_index_that_cannot_be_mended_is_left_alone(path: Path, launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(transaction: Transaction) -> None:
        transaction.query("SELECT * FROM no_such_table")

    monkeypatch.setattr(search_index, "rebuild", fails)
    store = Store.open(path)
    session_id = store.sessions.insert(launch, status=SessionStatus.COMPLETED)
    execute(path, "DROP TABLE search_data")

    for number in range(5):
        store.events.insert(session_id, Text(content=f"words {number}"))
    with pytest.raises(StoreError) as told:
        store.search.find(Query(text="words"))
    texts = _texts(store, session_id)
    store.commands.submit(Delete(actor=LULU, session_id=session_id))
    eventually(lambda: store.waiting == 0)
    health = store.health
    store.close()

    assert "search index" in told.value.happened
    assert len(texts) == 5
    assert health.ok
