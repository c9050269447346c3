"""Another program on the same file: it may hold the lock for long, and nothing is lost by that."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lulu.errors import DatabaseInUse, StoreBusy
from lulu.model.actors import LULU
from lulu.model.commands import SendPrompt
from lulu.model.events import Text
from lulu.model.sessions import SessionId
from lulu.store import HEALTH, Change, Store
from lulu.store.sqlite import connection, writer
from tests.conftest import Hold
from tests.store.files import make_seed, rows_of
from tests.support import eventually


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait ten times shorter: three seconds of a lock are the thirty of a real one. Named before the store."""
    monkeypatch.setattr(connection, "LOCK_WAIT_MS", 100)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.025)


@pytest.mark.usefixtures("quick")
def test_lock_held_for_long_loses_nothing(
    store: Store, session_id: SessionId, path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    eventually(lambda: store.waiting == 0)
    rung: list[str] = []
    store.bus.subscribe(lambda topic, version: rung.append(topic))
    release = hold(path)
    monkeypatch.setattr(writer, "PATIENCE", 0.8)
    began = time.monotonic()

    futures = [store.events.record(Change(session_id=session_id, events=[Text(content=str(n))])) for n in range(50)]
    with pytest.raises(StoreBusy) as told:
        store.commands.submit(SendPrompt(actor=LULU, session_id=session_id, text="withdrawn"))
    health = store.health
    readable = store.sessions.get(session_id).status
    eventually(lambda: time.monotonic() - began > 3)
    waiting = [future.done() for future in futures]
    release()
    ids = [future.result(30).event_ids[0] for future in futures]

    assert not health.ok
    assert health.waiting >= 50
    assert isinstance(health.problem, StoreBusy)
    assert "locked" in health.problem.happened
    assert str(path) in health.problem.next_step
    assert "locked" in told.value.happened
    assert readable == "starting"
    assert not any(waiting)
    assert ids == sorted(ids, key=lambda event_id: event_id or 0)
    events = store.events.of_session(session_id)
    assert [event.event for event in events] == [Text(content=str(number)) for number in range(50)]
    eventually(lambda: store.health.ok)
    eventually(lambda: rung.count(HEALTH) == 2)
    assert store.commands.pending() == []
    assert store.sessions.get("held").prompt == "p"


def test_lock_held_for_three_seconds_is_only_a_delay(
    store: Store, session_id: SessionId, path: Path, hold: Hold
) -> None:
    eventually(lambda: store.waiting == 0)
    release = hold(path)
    began = time.monotonic()

    future = store.events.record(Change(session_id=session_id, events=[Text(content="later")]))
    eventually(lambda: not store.health.ok)
    eventually(lambda: time.monotonic() - began > 3)
    release()
    event_id = store.events.insert(session_id, Text(content="a person's, at once"))

    assert future.result(0).event_ids == [1]
    assert event_id == 2
    assert store.health.ok


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_store_opens_beside_a_writer_and_tells_what_it_waits_for(path: Path, hold: Hold, begin: str) -> None:
    Store.open(path).close()
    release = hold(path, begin)

    store = Store.open(path)
    problem = eventually(lambda: store.health.problem)
    sessions = store.sessions.latest()
    release()
    eventually(lambda: store.health.ok)
    store.close()

    assert "locked" in problem.happened
    assert sessions == []


def test_seed_that_is_being_written_is_not_migrated(path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    make_seed(path)
    before = path.read_bytes()
    release = hold(path)

    with pytest.raises(DatabaseInUse) as refused:
        Store.open(path)
    content = path.read_bytes()
    release()
    Store.open(path).close()

    assert content == before
    assert refused.value.next_step
    assert "held" in [row[0] for row in rows_of(path)[0]]
