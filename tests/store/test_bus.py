"""The bus: numbers only grow, news comes after the commit, and no listener stops the next."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lulu.model.events import Text, User
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import (
    COMMANDS,
    SESSIONS,
    Bus,
    Change,
    LiveText,
    Store,
    log_topic,
    row_topic,
    session_topic,
    text_topic,
)
from lulu.store import bus as bus_module
from tests.store.files import connect
from tests.support import eventually


def test_numbers_grow_with_every_ring() -> None:
    bus = Bus()
    before = bus.version("a")
    heard: list[tuple[str, int]] = []
    bus.subscribe(lambda topic, version: heard.append((topic, version)))

    bus.ring(["a", "b"])
    bus.ring(["a"])

    assert heard == [("a", before + 1), ("b", before + 1), ("a", before + 2)]
    assert [bus.version(topic) for topic in ("a", "b", "never rung")] == [before + 2, before + 1, before]


def test_topic_that_changed_twice_in_one_commit_rings_once() -> None:
    bus = Bus()
    heard: list[str] = []
    bus.subscribe(lambda topic, version: heard.append(topic))

    bus.ring(["b", "a", "b", "b"])

    assert heard == ["b", "a"]


def test_numbers_go_on_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Bus()
    for _ in range(1000):
        first.ring(["a"])
    last = first.version("a")
    # A thousand changes of one topic take a second at the very least: no commit is faster than a millisecond.
    later = time.time() + 1.001
    monkeypatch.setattr(time, "time", lambda: later)

    second = Bus()

    assert second.version("a") > last


def test_topics_are_forgotten_without_losing_a_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "MAX_TOPICS", 10)
    bus = Bus()
    held = {"never rung": bus.version("never rung")}
    for number in range(100):
        for _ in range(number % 7 + 1):
            bus.ring([f"session:{number}", SESSIONS])
        held[f"session:{number}"] = bus.version(f"session:{number}")
    held[SESSIONS] = bus.version(SESSIONS)

    told = {topic: bus.version(topic) for topic in held}
    heard: dict[str, int] = {}
    bus.subscribe(lambda topic, version: heard.update({topic: version}))
    for topic in held:
        bus.ring([topic])

    assert bus.size == 10
    assert [topic for topic, number in held.items() if told[topic] < number] == []
    assert [topic for topic, number in held.items() if heard[topic] <= number] == []


def test_topic_that_still_rings_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "MAX_TOPICS", 10)
    bus = Bus()
    bus.ring([SESSIONS])
    before = bus.version(SESSIONS)

    for number in range(100):
        bus.ring([f"session:{number}", *([SESSIONS] if number % 5 == 0 else [])])

    assert bus.version(SESSIONS) == before + 20


def test_listener_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus()
    heard: list[str] = []

    def fails(topic: str, version: int) -> None:
        raise RuntimeError("broken listener")

    bus.subscribe(fails)
    bus.subscribe(lambda topic, version: heard.append(topic))
    with caplog.at_level(logging.ERROR):
        bus.ring(["a", "b"])

    assert heard == ["a", "b"]
    assert "a listener of the bus failed" in caplog.text


def test_listener_that_left_hears_nothing() -> None:
    bus = Bus()
    heard: list[str] = []
    leave = bus.subscribe(lambda topic, version: heard.append(topic))

    bus.ring(["a"])
    leave()
    leave()
    bus.ring(["b"])

    assert heard == ["a"]


def test_listener_may_leave_or_join_while_it_is_told() -> None:
    bus = Bus()
    heard: list[str] = []

    def once(topic: str, version: int) -> None:
        heard.append(topic)
        leave()
        bus.subscribe(lambda topic, version: heard.append(f"second {topic}"))

    leave = bus.subscribe(once)
    bus.ring(["a"])
    bus.ring(["b"])

    assert heard == ["a", "second b"]


def test_rings_from_many_threads_are_all_counted() -> None:
    bus = Bus()
    before = bus.version("a")

    def ring() -> None:
        for _ in range(200):
            bus.ring(["a"])

    threads = [threading.Thread(target=ring) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert bus.version("a") == before + 1600


def test_what_is_rung_can_be_read_by_everybody(store: Store, session_id: SessionId, path: Path) -> None:
    other = connect(path)
    seen: list[tuple[int, int]] = []

    def look(topic: str, version: int) -> None:
        if topic == session_topic(session_id):
            with_sqlite = connect(path).execute("SELECT count(*) FROM conversation_events").fetchone()[0]
            seen.append((store.events.count(session_id), with_sqlite))

    store.bus.subscribe(look)
    futures = [store.events.record(Change(session_id=session_id, events=[Text(content=str(n))])) for n in range(100)]
    for future in futures:
        future.result(30)
    eventually(lambda: seen and seen[-1] == (100, 100))
    other.close()

    assert all(by_store == by_sqlite > 0 for by_store, by_sqlite in seen)


def test_number_read_before_the_rows_misses_no_change(store: Store, session_id: SessionId) -> None:
    """What the doorbell does: a page that is shown with the last number shows the last row, too."""
    topic = session_topic(session_id)
    pages: list[tuple[int, int]] = []
    done = threading.Event()

    def show_pages() -> None:
        while not done.is_set():
            number = store.bus.version(topic)
            pages.append((number, store.events.count(session_id)))

    reader = threading.Thread(target=show_pages)
    reader.start()
    for _ in range(100):
        store.events.insert(session_id, Text(content="x"))
    eventually(lambda: store.waiting == 0)
    store.events.insert(session_id, Text(content="the last"))
    last = eventually(lambda: pages and pages[-1][1] == 101 and store.bus.version(topic))
    eventually(lambda: pages[-1][0] == last)
    done.set()
    reader.join(30)

    assert [count for number, count in pages if number == last and count != 101] == []
    assert pages == sorted(pages)


@pytest.mark.parametrize(
    ("change", "topics"),
    [
        ({"events": [Text(content="x")]}, {"text", "session", "log"}),
        ({"events": [User(text="x")]}, {"session", "log"}),
        ({"status": SessionStatus.RUNNING}, {"sessions", "row", "session", "log"}),
        ({"live": LiveText(message_id="m", kind="text", text="x", updated_at=datetime.now(UTC))}, {"text", "session"}),
        ({"columns": {"title": "x"}}, {"sessions", "row"}),
        ({"cost_usd": 0.5}, {"sessions", "row"}),
        ({"clear_live": True}, {"text", "session"}),
        ({"status": SessionStatus.DRAFT}, set()),
        ({}, set()),
    ],
)
def test_only_what_changed_is_rung(
    store: Store, session_id: SessionId, change: dict[str, object], topics: set[str]
) -> None:
    names = {SESSIONS: "sessions", row_topic(session_id): "row", session_topic(session_id): "session"}
    names |= {log_topic(session_id): "log", text_topic(session_id): "text"}
    rung: set[str] = set()
    eventually(lambda: store.waiting == 0)
    store.events.insert(session_id, Text(content="settled"))
    marker = store.bus.version("marker")
    store.bus.subscribe(lambda topic, version: rung.add(names.get(topic, topic)))

    store.events.record(Change(session_id=session_id, **change)).result(30)  # type: ignore[arg-type]  # as parametrized
    store.sessions.insert(Launch(prompt="the end", working_directory="/"), session_id=SessionId("end"))
    eventually(lambda: row_topic("end") in rung)

    assert marker == store.bus.version("marker")
    assert rung - {row_topic("end"), COMMANDS} - ({"sessions"} - topics) == topics


def test_live_text_draws_the_page_when_a_block_begins_or_ends(store: Store, session_id: SessionId) -> None:
    """Each other word costs no run: it comes over the socket (``lulu.server.push.live_text``)."""
    rung: list[str] = []
    store.bus.subscribe(lambda topic, version: rung.append(topic))
    steps = [
        ("m1", "text", "It", True),
        ("m1", "text", "It began", False),
        ("m1", "text", "It began.\n\n", True),
        ("m1", "text", "It began.\n\nThen", False),
        ("m1", "text", "It begins.\n\nThen", True),
        ("m2", "thinking", "Hm", True),
        ("m2", "thinking", "Hm.\n\nSo", False),
        ("m3", "text", "So", True),
    ]

    drawn = []
    for message_id, kind, text, _ in steps:
        rung.clear()
        live = LiveText(message_id=message_id, kind=kind, text=text, updated_at=datetime.now(UTC))
        store.events.record(Change(session_id=session_id, live=live)).result(30)
        eventually(lambda: store.waiting == 0 and text_topic(session_id) in rung)
        drawn.append(session_topic(session_id) in rung)

    assert drawn == [is_drawn for *_, is_drawn in steps]


def test_live_text_rings_its_session(store: Store, session_id: SessionId) -> None:
    rung: list[str] = []
    store.bus.subscribe(lambda topic, version: rung.append(topic))
    live = LiveText(
        message_id="m", kind="text", text="half a w\ud800", updated_at=store.sessions.get(session_id).created_at
    )

    store.events.record(Change(session_id=session_id, live=live)).result(30)
    eventually(lambda: session_topic(session_id) in rung)

    shown = store.events.live_text(session_id)
    assert shown is not None
    assert shown.text == "half a w\ufffd"


@given(
    rounds=st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), max_size=8),
    most=st.integers(min_value=1, max_value=10),
)
def test_a_bus_that_follows_another_gives_the_same_numbers(rounds: list[list[str]], most: int) -> None:
    """However many rings are told at once, and whatever is forgotten meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bus_module, "MAX_TOPICS", most)
        bus = Bus()
        bus.ring("abc")
        follower = Bus(follows=bus.state())
        for rung in rounds:
            last: dict[str, int] = {}
            for topic in rung:
                bus.ring([topic])
                last.pop(topic, None)
                last[topic] = bus.version(topic)
            follower.follow(bus.state(last))

            assert {one: follower.version(one) for one in "abcdefghi"} == {one: bus.version(one) for one in "abcdefghi"}


def test_who_listens_to_a_bus_that_follows_hears_what_the_other_rang() -> None:
    bus = Bus()
    follower = Bus(follows=bus.state())
    heard: list[tuple[str, int]] = []
    follower.subscribe(lambda topic, version: heard.append((topic, version)))

    bus.ring(["a", "b"])
    follower.follow(bus.state(["b", "a"]))

    assert heard == [("b", bus.version("b")), ("a", bus.version("a"))]


def test_a_number_never_falls_by_news_that_comes_late() -> None:
    bus = Bus()
    bus.ring(["a"])
    late = bus.state()
    bus.ring(["a"])
    follower = Bus(follows=bus.state())

    follower.follow(late)

    assert follower.version("a") == bus.version("a")
