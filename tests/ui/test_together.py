"""What many pages ask in one moment is read once, and nobody is told what is over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lulu.store import Store
from lulu.ui import together
from tests.support import eventually


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "lulu.db")
    yield opened
    opened.close()


def test_it_is_read_once_until_one_of_its_topics_rings(store: Store) -> None:
    read: list[int] = []

    def look() -> int:
        read.append(1)
        return len(read)

    def ask(key: str = "rows") -> int:
        return together.once(store, key, ["a", "b"], look)

    answers = [ask(), ask()]
    for topic in ("a", "b", "another"):
        store.bus.ring([topic])
        answers += [ask(), ask()]

    assert answers == [1, 1, 2, 2, 3, 3, 3, 3]
    assert ask("others") == 4


def test_who_comes_while_it_is_read_waits_for_it(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()
    read: list[str] = []
    answers: list[object] = []

    def read_slowly() -> object:
        begun.set()
        go_on.wait(10)
        read.append(threading.current_thread().name)
        return read

    asked: list[str] = []

    def ask() -> None:
        def topics() -> Iterator[str]:
            yield "a"
            asked.append("a")

        answers.append(together.once(store, "rows", topics(), read_slowly))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    eventually(lambda: len(asked) == 5)
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert len(read) == 1
    assert answers == [read] * 5


def test_what_rings_while_it_is_read_is_read_again(store: Store) -> None:
    def read_meanwhile() -> str:
        store.bus.ring(["a"])
        return "before"

    first = together.once(store, "rows", ["a"], read_meanwhile)

    assert (first, together.once(store, "rows", ["a"], lambda: "after")) == ("before", "after")


def test_a_failure_is_told_and_not_kept(store: Store) -> None:
    def fail() -> str:
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="gone"):
        together.once(store, "rows", ["a"], fail)

    assert together.once(store, "rows", ["a"], lambda: "back") == "back"


def test_what_nobody_asks_for_is_let_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_KEPT", 0.05)
    for number in range(5):
        together.once(store, number, ["a"], lambda: "large")

    def kept() -> bool:
        together.once(store, "last", ["a"], lambda: "small")
        return set(together._reads[store]) == {"last"}

    assert eventually(kept)
