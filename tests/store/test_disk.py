"""A disk without room, and one that takes no writes: what is acknowledged is there, the rest waits, and a person is
told what to do."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lulu.errors import StoreBusy, StoreError
from lulu.model.events import Text
from lulu.model.sessions import Launch, SessionId
from lulu.store import Change, Store
from lulu.store.sqlite import writer
from tests.conftest import SmallDisk
from tests.store.faults import Faults, install, of_the_file
from tests.store.files import execute, integrity
from tests.support import eventually


@pytest.fixture(autouse=True)
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.01)
    return install(monkeypatch)


@pytest.fixture
def quiet(store: Store, session_id: SessionId) -> Store:
    """A store whose first commits are done."""
    eventually(lambda: store.waiting == 0)
    return store


def _texts(store: Store, session_id: str) -> list[str]:
    return [str(getattr(event.event, "content", "")) for event in store.events.of_session(session_id)]


def _fill(store: Store, session_id: str) -> list[Future[Any]]:
    """More than there is room for."""
    return [
        store.events.record(Change(session_id=session_id, events=[Text(content=f"{number} " + "x" * 50_000)]))
        for number in range(100)
    ]


def _check_full(store: Store, session_id: str, futures: list[Future[Any]]) -> None:
    """With no room: what is acknowledged is there, the rest waits, and a person is told what to do."""
    eventually(lambda: not store.health.ok)
    assert not all(future.done() for future in futures)
    with pytest.raises(StoreBusy) as told:
        store.events.insert(session_id, Text(content="a person's"))
    assert "Nothing was accepted" in told.value.safe
    assert told.value.next_step
    assert store.health.waiting > 0
    numbers = {text.split()[0] for text in _texts(store, session_id)}
    assert {str(number) for number, future in enumerate(futures) if future.done()} <= numbers


def _check_room_again(store: Store, session_id: str, path: Path, futures: list[Future[Any]]) -> None:
    for future in futures:
        future.result(60)
    assert [text.split()[0] for text in _texts(store, session_id)] == [str(number) for number in range(100)]
    eventually(lambda: store.health.ok)
    assert integrity(path) == "ok"


def test_full_disk(
    quiet: Store, session_id: SessionId, path: Path, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 0.5)
    [(pages,)] = execute(path, "PRAGMA page_count")
    room = pages + 200
    # SQLite's own limit gives SQLITE_FULL in the place where a disk gives it.
    faults.on_connect = lambda connection: connection.execute(f"PRAGMA max_page_count={room}")
    faults.fail_call(1, of_the_file("SQLITE_BUSY"))

    futures = _fill(quiet, session_id)
    _check_full(quiet, session_id, futures)
    assert "disk is full" in str(quiet.health.problem)
    faults.on_connect = lambda connection: None

    _check_room_again(quiet, session_id, path, futures)


def test_disk_that_is_full(small_disk: SmallDisk, path: Path, launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system of its own that is filled to its last block; where a test may not mount one, a limit of the
    process stands for it: writes fail as truly, with "file too large" in the place of "no space left"."""
    is_disk = small_disk(path.parent)
    store = Store.open(path)
    session_id = store.sessions.insert(launch)
    eventually(lambda: store.waiting == 0)
    monkeypatch.setattr(writer, "PATIENCE", 0.5)
    with no_room_at(path, is_disk=is_disk):
        futures = _fill(store, session_id)
        _check_full(store, session_id, futures)
        problem = str(store.health.problem)

    _check_room_again(store, session_id, path, futures)
    store.close()
    assert ("The disk is full." in problem) == is_disk
    assert is_disk or "cannot be written" in problem


@contextmanager
def no_room_at(path: Path, *, is_disk: bool) -> Iterator[None]:
    """Take all the room there is; where that is everybody's disk, what this process may write."""
    filler = path.with_name("filler")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if is_disk:
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("lulu.db-wal").stat().st_size + 100_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        filler.unlink(missing_ok=True)


def test_file_that_becomes_read_only(
    quiet: Store, session_id: SessionId, path: Path, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an error of the disk that makes its file system read-only. No test may do that to a file that is open,
    so SQLite itself refuses to write (``query_only``), with the error and the words that it has for such a file."""
    monkeypatch.setattr(writer, "PATIENCE", 0.5)
    faults.on_connect = lambda connection: connection.execute("PRAGMA query_only=ON")
    faults.fail_call(1, of_the_file("SQLITE_BUSY"))

    futures = _fill(quiet, session_id)
    _check_full(quiet, session_id, futures)
    problem = quiet.health.problem
    faults.on_connect = lambda connection: None

    _check_room_again(quiet, session_id, path, futures)
    assert problem is not None
    assert "attempt to write a readonly database" in problem.happened
    assert "waits in memory and is saved as soon as it can be" in problem.safe
    assert str(path) in problem.next_step


def test_file_that_may_not_grow(
    quiet: Store, session_id: SessionId, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 0.5)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = path.with_name("lulu.db-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 1_000_000, before[1]))
    try:
        futures = _fill(quiet, session_id)
        _check_full(quiet, session_id, futures)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    _check_room_again(quiet, session_id, path, futures)


def test_full_disk_at_the_end_tells_every_caller(
    quiet: Store, session_id: SessionId, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CLOSE_SECONDS", 0.1)

    with faults.failing(lambda: of_the_file("SQLITE_FULL")):
        futures = _fill(quiet, session_id)
        quiet.close()

    assert all(isinstance(future.exception(0), StoreError) for future in futures)
