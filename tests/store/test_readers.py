"""Reading: no connection is kept, nothing waits for a reader, indexes serve every list, and order never surprises."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import dataset
import pytest

from lulu.errors import LuluError, StoreBusy
from lulu.model.events import Text
from lulu.model.sessions import SessionId
from lulu.store import Store
from tests.store.files import execute
from tests.store.questions import PARTS, every_reader, public_methods

#: What writes; tests/access asks of each that lets somebody in, or no longer, who may.
WRITES = {
    *(f"access.{name}" for name in ("make_link", "open_command_line", "note_visit", "redeem", "revoke", "share")),
    *(f"approvals.{name}" for name in ("ask", "decide", "decide_by_rule", "withdraw")),
    *(f"commands.{name}" for name in ("submit", "take", "end")),
    *(f"events.{name}" for name in ("record", "insert", "append")),
    *(f"folders.{name}" for name in ("ask", "end_question")),
    *(f"search.{name}" for name in ("index_older", "mend", "fill")),
    *(f"sessions.{name}" for name in ("insert", "move", "close_out", "let_go", "note_cut_off", "unfinished")),
}

#: Where the parts of the store are.
PLACE = "lulu.store.parts."

Statements = list[tuple[str, tuple[Any, ...]]]


def test_every_reader_is_called_here(busy: Store, session_id: SessionId) -> None:
    """A new question joins the list above, and with it every test below."""
    called = {name.split(",")[0].split(" ")[0] for name, _ in every_reader(busy, session_id)}

    parts = {name: type(part) for name, part in vars(busy).items() if type(part).__module__.startswith(PLACE)}
    assert parts == PARTS
    public = public_methods().keys()
    assert public > WRITES
    assert public - WRITES == called


def test_no_reader_keeps_a_connection(busy: Store, session_id: SessionId, pool: list[dataset.Database]) -> None:
    [database] = pool
    kept: list[str] = []

    def ask() -> None:
        for name, question in every_reader(busy, session_id):
            question()
            if threading.get_ident() in database.connections:
                kept.append(name)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ask()

    assert kept == []
    assert database.connections == {}
    assert database.engine is not None
    assert "Current Checked out connections: 0" in database.engine.pool.status()


def test_no_reader_keeps_a_connection_after_an_error(
    busy: Store, session_id: SessionId, pool: list[dataset.Database], path: Path
) -> None:
    execute(path, "ALTER TABLE sessions RENAME TO elsewhere")

    for _ in range(3):
        with pytest.raises(LuluError) as told:
            busy.sessions.latest()
    execute(path, "ALTER TABLE elsewhere RENAME TO sessions")

    assert told.value.next_step
    assert pool[0].connections == {}
    assert busy.sessions.get(session_id).status == "waiting"


def test_readers_cannot_write(busy: Store, pool: list[dataset.Database]) -> None:
    with pytest.raises(Exception, match="readonly"), pool[0]:
        pool[0].query("DELETE FROM sessions")

    assert len(busy.sessions.latest()) == 1


def test_open_query_does_not_hold_the_writer_up(
    busy: Store, session_id: SessionId, pool: list[dataset.Database]
) -> None:
    with pool[0]:
        reading = iter(pool[0].query("SELECT * FROM conversation_events", _step=1))
        next(reading)
        ids = [busy.events.insert(session_id, Text(content=str(number))) for number in range(20)]

    assert len(ids) == 20
    assert busy.health.ok


def test_page_reads_one_state_while_others_write(busy: Store, session_id: SessionId) -> None:
    stop = threading.Event()
    gaps: list[list[int]] = []

    def read() -> None:
        while not stop.is_set():
            ids = [int(event.id) for event in busy.events.of_session(session_id)]
            if ids != list(range(1, len(ids) + 1)):
                gaps.append(ids)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20):
        busy.events.append(session_id, [Text(content=f"{number}.{place}") for place in range(5)])
    stop.set()
    for thread in threads:
        thread.join(30)

    assert gaps == []
    assert busy.events.count(session_id) == 103


def test_thread_for_every_run(busy: Store, session_id: SessionId, pool: list[dataset.Database]) -> None:
    found: list[int] = []

    for _ in range(200):
        thread = threading.Thread(target=lambda: found.append(len(busy.events.of_session(session_id))))
        thread.start()
        thread.join(30)

    assert found == [3] * 200
    assert pool[0].engine is not None
    assert pool[0].engine.pool.checkedin() <= 2  # type: ignore[attr-defined]  # of the queue pool


def test_closed_store_says_that_lulu_stops(busy: Store, session_id: SessionId) -> None:
    busy.close()

    for _, question in every_reader(busy, session_id):
        with pytest.raises(StoreBusy, match="shutting down"):
            question()


def test_close_waits_for_queries_that_are_under_way(store: Store, session_id: SessionId) -> None:
    store.events.append(session_id, [Text(content="x" * 1000) for _ in range(2000)])
    problems: list[BaseException] = []
    started = threading.Barrier(9)

    def read() -> None:
        started.wait()
        try:
            while True:
                assert len(store.events.of_session(session_id)) == 2000
        except StoreBusy:
            pass
        except BaseException as exc:
            problems.append(exc)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    started.wait()
    store.close()
    for thread in threads:
        thread.join(30)

    assert problems == []
    assert not any(thread.is_alive() for thread in threads)
