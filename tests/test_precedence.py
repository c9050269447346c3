"""Commits go first, and who goes second does not wait for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lulu import precedence
from lulu.access.sharing import guest_rows
from lulu.errors import SessionNotFound
from lulu.events import Result, Text
from lulu.precedence import COMMITS, Precedence
from lulu.sessions import Launch, SessionId, SessionStatus, new_session_id
from lulu.store import ShareOptions, Store
from tests.support import eventually


def waiting(one: Precedence) -> tuple[threading.Thread, threading.Event]:
    """Somebody who steps back in a thread, and whether they have gone on."""
    went_on = threading.Event()

    def step_back() -> None:
        with one.going_second():
            one.give_way()
        went_on.set()

    thread = threading.Thread(target=step_back, daemon=True)
    thread.start()
    return thread, went_on


def test_who_gives_way_waits_until_it_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "MOST_SECONDS", 60)
    one = Precedence()
    one.claim()
    threads = [waiting(one) for _ in range(3)]
    eventually(lambda: len(one._free._cond._waiters) == 3)  # type: ignore[attr-defined]
    held = [went_on.is_set() for _, went_on in threads]
    one.release()

    assert held == [False] * 3
    assert all(went_on.wait(10) for _, went_on in threads)


def test_nobody_waits_where_nobody_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "MOST_SECONDS", 60)
    one = Precedence()
    _, at_first = waiting(one)
    one.claim()
    one.release()
    _, afterwards = waiting(one)

    assert at_first.wait(10)
    assert afterwards.wait(10)


def test_what_goes_on_being_wanted_holds_nobody_back_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is locked for long."""
    monkeypatch.setattr(precedence, "MOST_SECONDS", 0.05)
    one = Precedence()
    began = time.monotonic()
    one.claim()
    with one.going_second():
        one.give_way()
    took = time.monotonic() - began
    since = one._since
    one.claim()
    waits: list[float] = []
    monkeypatch.setattr(one._free, "wait", waits.append)
    with one.going_second():
        one.give_way()

    assert took >= 0.05
    assert one._since == since
    assert waits == []


def test_only_who_goes_second_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Precedence()
    one.claim()
    waits: list[float] = []
    monkeypatch.setattr(one._free, "wait", waits.append)
    monkeypatch.setattr(precedence, "MOST_SECONDS", 60)
    one.give_way()
    with one.going_second():
        with one.going_second():
            pass
        outside = len(waits)
        one.give_way()
    with pytest.raises(KeyError), one.going_second():
        raise KeyError
    one.give_way()

    assert outside == 0
    assert len(waits) == 1


@pytest.mark.parametrize(("held", "rest"), [(0.01, 0.01), (5.0, 0.02)])
def test_pages_have_half_of_the_time(held: float, rest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits one after the other, from many agents. One that is wanted meanwhile goes first after that."""
    now = 100.0
    waits: list[bool] = []
    monkeypatch.setattr(precedence, "time", SimpleNamespace(monotonic=lambda: now))
    one = Precedence()
    one.claim()
    now += held
    one.release()
    one.claim()
    monkeypatch.setattr(one._free, "wait", lambda seconds: waits.append(True))
    now += rest - 0.001
    with one.going_second():
        one.give_way()
    waited_early = len(waits)
    now += 0.002
    with one.going_second():
        one.give_way()

    assert waited_early == 0
    assert waits == [True]


def test_what_was_over_before_its_time_came_takes_none_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(precedence, "time", SimpleNamespace(monotonic=lambda: now))
    one = Precedence()
    one.claim()
    now += 0.01
    one.release()
    again_at = one._again_at
    for _ in range(3):
        one.claim()
        one.release()

    assert again_at == pytest.approx(now + 0.01)
    assert one._again_at == again_at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One whose own first writes are over, so that the next commit may go first."""
    opened = Store.open(tmp_path / "lulu.db")
    opened._writer.commit(lambda transaction: None)
    eventually(COMMITS._free.is_set)
    COMMITS._again_at = 0.0
    yield opened
    opened.close()


def start(store: Store) -> SessionId:
    return store.insert_session(Launch(prompt="hello", working_directory="/"), status=SessionStatus.RUNNING)


def test_a_commit_is_claimed_until_it_is_done(store: Store) -> None:
    free: list[bool] = []
    store.bus.subscribe(lambda topic, number: free.append(COMMITS._free.is_set()))
    start(store)

    assert eventually(COMMITS._free.is_set)
    assert free
    assert not any(free), "pages would be drawn while it is under way"


@pytest.mark.parametrize("goes_first", [True, False])
def test_a_commit_is_claimed_when_it_is_queued_and_by_itself(store: Store, goes_first: bool) -> None:
    """Whatever is under way then, and ends before it."""
    began, may_end = threading.Event(), threading.Event()
    first: list[bool] = []

    def job(transaction: object) -> None:
        began.set()
        may_end.wait(10)

    def note(transaction: object) -> None:
        first.append(not COMMITS._free.is_set() and COMMITS._since <= time.monotonic())

    before = store._writer.submit(job, goes_first=False)
    assert began.wait(10)
    during = store._writer.submit(note, goes_first=goes_first)
    note(None)
    may_end.set()
    for done in (before, during):
        done.result(10)

    assert first == [goes_first] * 2
    assert eventually(COMMITS._free.is_set)


def test_pages_do_not_step_back_for_the_search_index(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    claims: list[bool] = []
    monkeypatch.setattr(COMMITS, "claim", lambda: claims.append(True))
    store.index_older().result(10)
    for_the_index = len(claims)
    start(store)

    assert for_the_index == 0
    assert claims


def test_pages_are_let_go_on_when_a_job_fails(store: Store) -> None:
    with pytest.raises(SessionNotFound):
        store.update_session_completed(new_session_id(), Result(duration_ms=1), SessionStatus.COMPLETED)

    assert eventually(COMMITS._free.is_set)


def test_who_reads_for_a_guest_steps_back_at_each_event(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id = start(store)
    store.append(session_id, [Text(content=f"This is {number}.") for number in range(5)])
    stored = store.get_session_events(session_id)
    steps: list[bool] = []
    monkeypatch.setattr(COMMITS, "give_way", lambda: steps.append(True))
    guest_rows(stored, ShareOptions())

    assert len(steps) == 5
