"""Commits go first, and nobody waits for them for long."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from lulu import precedence
from lulu.errors import SessionNotFound
from lulu.events import Result
from lulu.precedence import COMMITS, Precedence
from lulu.sessions import Launch, SessionStatus, new_session_id
from lulu.store import Store
from tests.support import eventually


def waiting(one: Precedence) -> tuple[threading.Thread, threading.Event]:
    """Somebody who steps back in a thread, and whether they have gone on."""
    went_on = threading.Event()

    def step_back() -> None:
        one.give_way()
        went_on.set()

    thread = threading.Thread(target=step_back)
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
    """Commits one after the other, or a file that is locked for long."""
    monkeypatch.setattr(precedence, "MOST_SECONDS", 0.05)
    one = Precedence()
    began = time.monotonic()
    one.claim()
    one.give_way()
    took = time.monotonic() - began
    monkeypatch.setattr(precedence, "MOST_SECONDS", 60)
    one.claim()
    _, went_on = waiting(one)

    assert took >= 0.05
    assert went_on.wait(10)


def test_a_commit_is_claimed_when_it_is_queued_and_released_when_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free: list[bool] = []
    monkeypatch.setattr(precedence, "MOST_SECONDS", 60)
    store = Store.open(tmp_path / "lulu.db")
    eventually(COMMITS._free.is_set)

    def note(topic: str, number: int) -> None:
        free.append(COMMITS._free.is_set())

    store.bus.subscribe(note)
    store.insert_session(Launch(prompt="hello", working_directory="/"), status=SessionStatus.RUNNING)
    eventually(COMMITS._free.is_set)
    store.close()

    assert free
    assert not any(free), "pages would be drawn while it is under way"


def test_pages_are_let_go_on_when_a_job_fails(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "lulu.db")
    with pytest.raises(SessionNotFound):
        store.update_session_completed(new_session_id(), Result(duration_ms=1), SessionStatus.COMPLETED)

    assert eventually(COMMITS._free.is_set)
    store.close()
