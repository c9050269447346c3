"""A store beside another process's: it reads what that one writes, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lulu.errors import DatabaseInUse, Forbidden, StoreBusy
from lulu.model.actors import LULU
from lulu.model.commands import SendPrompt
from lulu.model.events import Text
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import Bus, Change, Store


def test_it_reads_what_the_other_writes(store: Store, path: Path, launch: Launch) -> None:
    beside = Store.beside(path, Bus(follows=store.bus.state()))
    session_id = store.sessions.insert(launch)
    store.events.insert(session_id, Text(content="A walrus."))

    found = beside.events.of_session(session_id)

    assert [stored.event for stored in found] == [Text(content="A walrus.")]
    assert beside.health.ok
    assert beside.waiting == 0


@pytest.mark.parametrize(
    "write",
    [
        lambda store, one: store.commands.submit(SendPrompt(actor=LULU, session_id=one, text="Go on")),
        lambda store, one: store.approvals.decide(LULU, "an-id", approve=True),
        lambda store, one: store.events.record(Change(session_id=one, events=[Text(content="x")])),
        lambda store, one: store.events.insert(one, Text(content="x")),
        lambda store, one: store.sessions.move(one, SessionStatus.FAILED),
        lambda store, one: store.access.revoke(LULU, 1),
        lambda store, one: store.access.note_visit(1),
        lambda store, one: store.search.index_older(),
    ],
)
def test_it_writes_nothing(store: Store, path: Path, launch: Launch, write: Callable[[Store, SessionId], Any]) -> None:
    beside = Store.beside(path, Bus(follows=store.bus.state()))
    session_id = store.sessions.insert(launch)

    with pytest.raises(Forbidden):
        write(beside, session_id)

    assert store.events.count(session_id) == 0


def test_it_takes_and_frees_no_lock(store: Store, path: Path) -> None:
    beside = Store.beside(path, Bus(follows=store.bus.state()))
    beside.close()

    with pytest.raises(DatabaseInUse):
        Store.open(path)
    with pytest.raises(StoreBusy):
        beside.sessions.live()
    assert path.with_name("lulu.db.owner").exists()
