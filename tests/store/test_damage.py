"""Damaged files: kept aside byte for byte, said to the owner, never written over, never a reason not to start."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from lulu.errors import DatabaseCorrupt, LuluError, StoreBusy
from lulu.model.events import Text
from lulu.model.sessions import Launch
from lulu.store import HEALTH, Store
from lulu.store.sqlite import damage
from lulu.store.sqlite import file as store_file
from lulu.store.sqlite import writer as store_writer
from tests.store.files import connect, execute, kept_aside, make_seed
from tests.store.questions import read_all, write
from tests.support import eventually
from tests.tiers import keep_short

#: Damage is done in blocks of this size.
BLOCK = 4096


@pytest.mark.parametrize("seed", keep_short(6, *range(20)))
def test_random_block_anywhere(damaged: Path, launch: Launch, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_writer, "PATIENCE", 2.0)
    choice = random.Random(seed)
    # The first block once; then anywhere, not only where a page begins.
    offset = choice.randrange(damaged.stat().st_size - BLOCK) if seed else 0
    with damaged.open("r+b") as file:
        file.seek(offset)
        file.write(choice.randbytes(BLOCK))
    content = damaged.read_bytes()

    first = Store.open(damaged)
    notices = first.notices
    read_all(first)
    writes_go_through = True
    try:
        write(first, launch)
    except LuluError:
        writes_go_through = False
    first.close()
    second = Store.open(damaged)
    read_all(second)
    second.close()

    kept = kept_aside(damaged)
    if notices:
        assert [file.read_bytes() for file in kept] == [content]
        assert str(kept[0]) in str(notices[0])
        assert writes_go_through
    else:
        # Inside a text: nothing of the file's own structure is hurt, and nothing can tell.
        assert not kept


@pytest.mark.parametrize(
    "content",
    [
        b"This is a text file.\n" * 500,
        b"x",
        b"SQLite format 3\0",
        b"SQLite format 3\0" + bytes(8176),
        bytes(8192),
        "{}".encode("utf-16"),
    ],
    ids=["text", "one byte", "magic", "magic and zeros", "zeros", "json"],
)
def test_what_is_no_database_is_kept_aside(path: Path, launch: Launch, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    store = Store.open(path)
    write(store, launch)
    store.close()

    [kept] = kept_aside(path)
    assert kept.read_bytes() == content
    assert isinstance(store.notices[0], DatabaseCorrupt)
    assert str(kept) in str(store.notices[0])


@pytest.mark.parametrize("size", [1, 15, 99, 100, 511, 512, 4095, 4096, 4097, 8192, 50_000, 100_001, -4096])
def test_truncated(damaged: Path, launch: Launch, size: int) -> None:
    content = damaged.read_bytes()[:size]
    damaged.write_bytes(content)

    store = Store.open(damaged)
    write(store, launch)
    store.close()

    [kept] = kept_aside(damaged)
    assert kept.read_bytes() == content
    assert str(kept) in str(store.notices[0])


def test_empty_file_is_begun_anew(damaged: Path, launch: Launch) -> None:
    damaged.write_bytes(b"")

    store = Store.open(damaged)
    write(store, launch)
    store.close()

    assert not store.notices
    assert not kept_aside(damaged)


def test_two_damages_in_one_second_are_both_kept(path: Path) -> None:
    path.parent.mkdir()
    for content in (b"first" * 100, b"second" * 100, b"third" * 100):
        path.write_bytes(content)
        Store.open(path).close()

    assert {kept.read_bytes()[:5] for kept in kept_aside(path)} == {b"first", b"secon", b"third"}


def test_old_file_that_is_damaged_is_kept_aside_before_any_migration(path: Path) -> None:
    make_seed(path, sessions=40, events=40)
    with path.open("r+b") as file:
        file.seek(3 * BLOCK)
        file.write(random.Random(3).randbytes(BLOCK))
    content = path.read_bytes()

    store = Store.open(path)
    store.close()

    [kept] = kept_aside(path)
    assert kept.read_bytes() == content
    assert not kept_aside(path, "backup")


def test_damage_that_only_the_copy_meets_is_kept_aside_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_seed(path, sessions=40, events=40)
    with path.open("r+b") as file:
        file.seek(3 * BLOCK)
        file.write(random.Random(3).randbytes(BLOCK))
    content = path.read_bytes()
    monkeypatch.setattr(damage, "damage_of", lambda path: None)

    Store.open(path).close()

    [kept] = kept_aside(path)
    assert kept.read_bytes() == content


def _break_a_page(path: Path) -> None:
    """The root page of the events, which a query of any session's events meets."""
    [(page,)] = execute(path, "SELECT rootpage FROM sqlite_master WHERE name = 'conversation_events'")
    with path.open("r+b") as file:
        file.seek((page - 1) * BLOCK)
        file.write(random.Random(4).randbytes(BLOCK))


def test_damage_found_late_is_told_and_nothing_is_moved(damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _break_a_page(damaged)
    looked, go_on = threading.Event(), threading.Event()
    check = damage.damage_of

    def slow(path: Path) -> str | None:
        looked.set()
        assert go_on.wait(30)
        return check(path)

    monkeypatch.setattr(damage, "damage_of", slow)
    monkeypatch.setattr(store_file, "CHECK_SECONDS", 0.05)

    store = Store.open(damaged)
    rung: list[str] = []
    store.bus.subscribe(lambda topic, version: rung.append(topic))
    assert looked.is_set()
    assert not store.notices
    go_on.set()
    [notice] = eventually(lambda: store.notices)
    sessions = store.sessions.latest()
    store.close()

    assert isinstance(notice, DatabaseCorrupt)
    assert str(damaged) in notice.happened
    assert HEALTH in rung
    assert len(sessions) == 40
    assert not kept_aside(damaged)


def test_check_that_fails_for_another_reason_is_no_damage(damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path) -> str | None:
        raise MemoryError

    monkeypatch.setattr(damage, "damage_of", fails)

    store = Store.open(damaged)
    sessions = read_all(store)
    store.close()

    assert sessions == 40
    assert not kept_aside(damaged)


def test_damage_that_a_query_meets_is_told_to_its_page_and_to_all(damaged: Path) -> None:
    store = Store.open(damaged)
    rung: list[str] = []
    store.bus.subscribe(lambda topic, version: rung.append(topic))
    _break_a_page(damaged)

    for _ in range(3):
        with pytest.raises(DatabaseCorrupt) as told:
            store.events.of_session("session-1")
    session = store.sessions.get("session-1")
    notices = store.notices
    store.close()

    assert str(damaged) in told.value.happened
    assert told.value.next_step
    assert [str(notice) for notice in notices] == [str(told.value)]
    assert rung.count(HEALTH) == 1
    assert session.id == "session-1"


def test_damage_that_a_write_meets_stops_writing_and_the_next_start_keeps_the_file(
    damaged: Path, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_writer, "PATIENCE", 0.5)
    store = Store.open(damaged)
    eventually(lambda: store.waiting == 0)
    _break_a_page(damaged)

    with pytest.raises(StoreBusy) as told:
        store.events.insert("session-1", Text(content="lost?"))
    health = store.health
    store.close()
    content = damaged.read_bytes()
    again = Store.open(damaged)
    write(again, launch)
    again.close()

    assert "damaged" in told.value.happened
    assert not health.ok
    assert isinstance(health.problem, DatabaseCorrupt)
    [kept] = kept_aside(damaged)
    assert kept.read_bytes() == content


def test_bytes_that_are_no_utf8_are_shown_and_kept(damaged: Path) -> None:
    with closing(connect(damaged)) as other:
        other.execute(
            "UPDATE conversation_events SET payload = CAST(x'7b22ff80' AS TEXT), event_type = CAST(x'ff' AS TEXT)"
        )
        other.execute(
            "UPDATE sessions SET title = CAST(x'61ff' AS TEXT), prompt = x'ff00', status = CAST(x'fe' AS TEXT)"
        )
    store = Store.open(damaged)

    session = store.sessions.latest(limit=1)[0]
    event = store.events.of_session(session.id)[0]
    store.close()

    assert event.raw.encode("utf-8", "surrogateescape") == b'{"\xff\x80'
    assert (session.title, session.prompt, session.status) == ("a\ufffd", "\ufffd\0", "\ufffd")
    assert not session.is_live
    session.name.encode()


def test_what_is_kept_aside_can_be_recovered(damaged: Path) -> None:
    with damaged.open("r+b") as file:
        file.seek(damaged.stat().st_size // 2)
        file.write(random.Random(7).randbytes(2 * BLOCK))

    Store.open(damaged).close()

    [kept] = kept_aside(damaged)
    with closing(sqlite3.connect(kept)) as connection:
        [(sessions,)] = connection.execute("SELECT count(*) FROM sessions NOT INDEXED").fetchall()
    assert sessions > 0
