"""The writer: what is committed together, who is told what, and what a job that fails does to the others."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from lulu.errors import Conflict, LuluError, SessionNotFound, StoreBusy, StoreError
from lulu.store import Bus, Store
from lulu.store.database import Transaction, Writer
from lulu.store.sqlite import connection, writer
from lulu.store.sqlite.writer import WriterThread
from tests.store import files
from tests.store.files import execute
from tests.support import eventually

Add = Callable[[Transaction], int]


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked file is met, reported and tried again within milliseconds; named before the writer's fixture."""
    monkeypatch.setattr(connection, "LOCK_WAIT_MS", 20)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.01)


@pytest.fixture
def opened(path: Path, bus: Bus) -> Iterator[Writer]:
    """A writer on a database with one more table."""
    Store.open(path).close()
    execute(path, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
    opened = WriterThread(path, bus)
    yield opened
    opened.close()


def add(text: str, *topics: str) -> Add:
    """A job that adds a note."""

    def job(transaction: Transaction) -> int:
        [row] = transaction.query("INSERT INTO notes (text) VALUES (:text) RETURNING id", text=text)
        transaction.ring(*topics)
        return int(row["id"])

    return job


def notes(path: Path) -> list[str]:
    return [row[0] for row in execute(path, "SELECT text FROM notes ORDER BY id")]


@contextmanager
def held_up(opened: Writer) -> Iterator[None]:
    """Everything that is queued inside waits, and goes into the next transaction together."""
    entered, go_on = threading.Event(), threading.Event()

    def wait(transaction: Transaction) -> None:
        entered.set()
        assert go_on.wait(30)

    waiting = opened.submit(wait)
    assert entered.wait(30)
    try:
        yield
    finally:
        go_on.set()
        waiting.result(30)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the write lock."""
    with closing(files.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_commit_is_synced_to_the_disk(opened: Writer) -> None:
    pragmas = {
        name: opened.commit(lambda tx, name=name: tx.query(f"PRAGMA {name}")[0])  # type: ignore[misc]  # bound now
        for name in ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
    }

    assert pragmas == {
        "synchronous": {"synchronous": 2},
        "journal_mode": {"journal_mode": "wal"},
        "foreign_keys": {"foreign_keys": 1},
        "busy_timeout": {"timeout": 1000},
    }


def test_jobs_are_committed_in_order_and_together(opened: Writer, bus: Bus, path: Path) -> None:
    rings: list[int] = []
    bus.subscribe(lambda topic, version: rings.append(version))

    with held_up(opened):
        futures = [opened.submit(add(f"{number}", "notes")) for number in range(300)]
    answers = [future.result(30) for future in futures]

    assert answers == list(range(1, 301))
    assert notes(path) == [str(number) for number in range(300)]
    eventually(lambda: rings)
    assert len(rings) == 1


def test_more_jobs_than_one_batch_holds(opened: Writer, path: Path) -> None:
    with held_up(opened):
        futures = [opened.submit(add(f"{number}")) for number in range(writer.MAX_BATCH * 2 + 7)]

    assert [future.result(30) for future in futures] == list(range(1, writer.MAX_BATCH * 2 + 8))


def test_job_that_waited_is_visible_when_its_answer_comes(opened: Writer, path: Path) -> None:
    for number in range(20):
        opened.commit(add(f"{number}"))

        assert len(notes(path)) == number + 1


def _raises(error: BaseException) -> Callable[[Transaction], None]:
    def job(transaction: Transaction) -> None:
        transaction.query("INSERT INTO notes (text) VALUES ('half of a job')")
        raise error

    return job


@pytest.mark.parametrize(
    "error",
    [
        Conflict("no"),
        ValueError("no"),
        MemoryError(),
        RecursionError(),
        SystemExit(),
        KeyboardInterrupt(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_job_that_raises_harms_no_other(opened: Writer, path: Path, error: BaseException) -> None:
    with held_up(opened):
        before = opened.submit(add("before"))
        failing = opened.submit(_raises(error))
        after = opened.submit(add("after"))

    assert failing.exception(30) is error
    assert [before.result(30), after.result(30)] == [1, 2]
    assert notes(path) == ["before", "after"]
    with pytest.raises(type(error)):
        opened.commit(_raises(error))
    assert opened.health.ok


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("INSERT INTO notes (text) VALUES ('before')", Conflict),
        ("INSERT INTO notes (id) VALUES (1)", Conflict),
        ("INSERT INTO conversation_events (session_id, event_type, payload) VALUES ('no', 'x', '')", SessionNotFound),
        ("INSERT INTO sessions (id) VALUES ('no prompt')", StoreError),
        ("INSERT INTO notes (id) VALUES ('no number')", StoreError),
        ("INSERT INTO nowhere VALUES (1)", StoreError),
        ("INSERT nonsense", StoreError),
        ("INSERT INTO notes (text) VALUES (zeroblob(2000000000))", StoreError),
    ],
)
def test_statement_that_is_refused_harms_no_other(opened: Writer, path: Path, sql: str, told: type[LuluError]) -> None:
    with held_up(opened):
        before = opened.submit(add("before"))
        refused = opened.submit(lambda transaction: transaction.query(sql))
        after = opened.submit(add("after"))

    assert isinstance(refused.exception(30), told)
    assert not isinstance(refused.exception(), IntegrityError)
    assert [before.result(30), after.result(30)] == [1, 2]
    assert notes(path) == ["before", "after"]


def test_batch_of_nothing_but_failures(opened: Writer, path: Path) -> None:
    with held_up(opened):
        failing = [opened.submit(_raises(ValueError(f"{number}"))) for number in range(100)]

    assert [str(future.exception(30)) for future in failing] == [str(number) for number in range(100)]
    assert opened.commit(add("after")) == 1


def test_topics_of_a_job_that_failed_are_not_rung(opened: Writer, bus: Bus) -> None:
    rung: list[str] = []
    bus.subscribe(lambda topic, version: rung.append(topic))

    def fails(transaction: Transaction) -> None:
        transaction.ring("failed")
        raise ValueError

    with held_up(opened):
        opened.submit(add("one", "committed"))
        failing = opened.submit(fails)

    failing.exception(30)
    eventually(lambda: "committed" in rung)
    assert rung == ["committed"]


def test_person_is_told_in_time_and_nothing_is_accepted(
    opened: Writer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, locked(path):
        patch.setattr(writer, "PATIENCE", 0.2)
        with pytest.raises(StoreBusy) as told:
            opened.commit(add("withdrawn"))
    opened.commit(add("later"))

    assert notes(path) == ["later"]
    assert "Nothing was accepted" in told.value.safe
    assert told.value.next_step


def test_person_does_not_wait_behind_what_cannot_be_committed(
    opened: Writer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with locked(path):
        agents = [opened.submit(add("agent's 1")), opened.submit(add("agent's 2"))]
        eventually(lambda: not opened.health.ok)
        agents.append(opened.submit(add("agent's 3")))
        monkeypatch.setattr(writer, "PATIENCE", 0.3)
        # The file is locked until this has been refused.
        with pytest.raises(StoreBusy) as told:
            opened.commit(add("person's"))

    assert [future.result(30) for future in agents] == [1, 2, 3]
    assert notes(path) == ["agent's 1", "agent's 2", "agent's 3"]
    assert "locked" in told.value.happened


def test_patience_that_ends_during_the_commit_gets_its_result(
    opened: Writer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 1.0)

    def slow(transaction: Transaction) -> int:
        threading.Event().wait(1.5)
        return add("slow")(transaction)

    assert opened.commit(slow) == 1
    assert notes(path) == ["slow"]


@pytest.mark.usefixtures("short_waits")
def test_many_people_in_bad_times_are_each_told_the_truth(
    opened: Writer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = writer.PATIENCE
    monkeypatch.setattr(writer, "PATIENCE", 0.15)
    accepted: list[str] = []
    refused: list[str] = []

    def person(number: int) -> None:
        for place in range(10):
            text = f"{number}.{place}"
            try:
                opened.commit(add(text))
                accepted.append(text)
            except StoreBusy:
                refused.append(text)

    people = [threading.Thread(target=person, args=[number]) for number in range(8)]
    for one in people:
        one.start()
    while any(one.is_alive() for one in people):
        with locked(path):
            people[0].join(0.3)
        people[-1].join(0.05)
    monkeypatch.setattr(writer, "PATIENCE", patience)
    opened.commit(add("the end"))

    assert sorted(notes(path)) == sorted([*accepted, "the end"])
    assert len(accepted) + len(refused) == 80
    assert refused


def test_close_commits_what_is_queued(opened: Writer, path: Path) -> None:
    with held_up(opened):
        futures = [opened.submit(add(f"{number}")) for number in range(1200)]
        closing_thread = threading.Thread(target=opened.close)
        closing_thread.start()
    closing_thread.join(30)

    assert not closing_thread.is_alive()
    assert all(future.done() for future in futures)
    assert len(notes(path)) == 1200
    assert not path.with_name("lulu.db-wal").exists()


def test_after_close_nothing_is_accepted(opened: Writer) -> None:
    opened.close()
    opened.close()

    with pytest.raises(StoreBusy, match="shutting down"):
        opened.submit(add("late"))
    with pytest.raises(StoreBusy, match="shutting down"):
        opened.commit(add("late"))


def test_close_amid_writers_leaves_nobody_without_an_answer(opened: Writer, path: Path) -> None:
    futures: list[Future[int]] = []
    started = threading.Barrier(9)

    def write(number: int) -> None:
        started.wait()
        with contextlib.suppress(StoreBusy):
            for place in itertools.count():
                futures.append(opened.submit(add(f"{number}.{place}")))

    threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    started.wait()
    eventually(lambda: len(futures) > 50)
    opened.close()
    for thread in threads:
        thread.join(30)

    assert all(future.done() for future in futures)
    assert len(notes(path)) == len(futures)


def test_close_gives_up_on_a_file_that_cannot_be_written(
    opened: Writer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CLOSE_SECONDS", 0.3)
    monkeypatch.setattr(writer, "MAX_BATCH", 2)

    with locked(path):
        futures = [opened.submit(add(f"{number}")) for number in range(20)]
        # The file is locked until this has given up.
        opened.close()

    assert {type(future.exception(0)) for future in futures} == {StoreBusy}
    assert notes(path) == []


def test_listener_that_waits_for_a_commit_is_refused_not_stuck(opened: Writer, bus: Bus, path: Path) -> None:
    refused: list[BaseException] = []

    def listen(topic: str, version: int) -> None:
        try:
            opened.commit(add("from a listener"))
        except RuntimeError as exc:
            refused.append(exc)

    bus.subscribe(listen)
    opened.commit(add("one", "topic"))
    eventually(lambda: refused)

    assert opened.commit(add("two")) == 2
    assert notes(path) == ["one", "two"]


@pytest.mark.parametrize(
    "error", [ValueError(), SystemExit(), KeyboardInterrupt()], ids=lambda error: type(error).__name__
)
def test_caller_that_fails_when_it_is_told_undoes_nothing(opened: Writer, path: Path, error: BaseException) -> None:
    def callback(future: Future[Any]) -> None:
        raise error

    with held_up(opened):
        first = opened.submit(add("first"))
        first.add_done_callback(callback)
        second = opened.submit(add("second"))

    assert [first.result(30), second.result(30)] == [1, 2]
    assert opened.commit(add("third")) == 3
    assert notes(path) == ["first", "second", "third"]


def test_answer_cannot_be_cancelled(opened: Writer, path: Path) -> None:
    with held_up(opened):
        future = opened.submit(add("one"))
        assert not future.cancel()

    assert future.result(30) == 1
    assert notes(path) == ["one"]
