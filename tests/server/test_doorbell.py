"""The doorbell on a real server: what a page may ask, what it hears, and how every bell ends."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from websockets.sync.client import ClientConnection

from lulu.access.guard import Admission
from lulu.errors import InputError, LuluError
from lulu.model.actors import Role
from lulu.server.push import doorbell
from lulu.server.push.doorbell import MAX_MESSAGE, MAX_TOPICS, Doorbell, Turns, may_listen, parse_topics
from lulu.store.bus import Bus
from tests.bells import PATIENCE, House, close_code, listen, rings, running
from tests.doors import OpenDoor
from tests.support import eventually


@pytest.fixture
def house() -> Iterator[House]:
    with running(House()) as made:
        yield made


def test_a_page_hears_the_last_number_of_each_topic_at_once(house: House) -> None:
    house.bus.ring(["sessions"])
    with house.page("sessions", "session:abc") as page:
        heard = rings(page)

    assert heard == {"sessions": house.bus.version("sessions"), "session:abc": house.bus.version("session:abc")}
    assert heard["sessions"] > heard["session:abc"]


def test_a_page_hears_each_ring_of_its_topics(house: House) -> None:
    with house.page("session:abc") as page:
        first = rings(page)["session:abc"]
        house.bus.ring(["session:other", "sessions"])
        house.bus.ring(["session:abc"])

        assert rings(page) == {"session:abc": first + 1}


def test_a_page_that_turns_to_another_session_hears_that_one(house: House) -> None:
    with house.page("session:abc") as page:
        rings(page)
        listen(page, "session:other", "row:other", "log:other", "approvals", "health")
        heard = rings(page)
        house.bus.ring(["session:abc"])
        house.bus.ring(["row:other"])

        assert set(heard) == {"session:other", "row:other", "log:other", "approvals", "health"}
        assert set(rings(page)) == {"row:other"}


def test_every_page_that_listens_hears(house: House) -> None:
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(house.page("sessions")) for _ in range(5)]
        for page in pages:
            rings(page)
        house.bus.ring(["sessions"])

        assert {rings(page)["sessions"] for page in pages} == {house.bus.version("sessions")}


def test_a_slow_page_hears_the_newest_numbers_only(house: House) -> None:
    with house.page("sessions", "session:abc") as page:
        rings(page)
        for _ in range(2_000):
            house.bus.ring(["sessions", "session:abc"])
        last = {topic: house.bus.version(topic) for topic in ("sessions", "session:abc")}

        messages = 0
        while rings(page) != last:
            messages += 1

    assert messages < 200


def test_turns_are_apart_from_each_other_and_the_first_is_now() -> None:
    turns = Turns(0.5)

    assert [turns.take(now) for now in (7.0, 7.0, 7.2, 9.0, 9.1)] == [7.0, 7.5, 8.0, 9.0, 9.5]


@pytest.mark.parametrize(("members", "next_turn"), [(0, 7.5), (1, 7.5), (4, 7.5), (8, 7.25), (100, 7.125)])
def test_turns_of_many_are_closer(members: int, next_turn: float) -> None:
    turns = Turns(0.5, least=0.125, within=2.0)
    turns.members = members

    assert [turns.take(7.0), turns.take(7.0)] == [7.0, next_turn]


def test_nobody_waits_for_longer_than_is_said_whoever_came_and_left_before() -> None:
    turns = Turns(0.5, within=2.0)
    taken = [turns.take(7.0) for _ in range(1_000)]

    assert max(taken) == 9.0
    assert turns.take(7.1) == 9.1


def test_who_listens_to_this_and_that_takes_no_more_turns_than_others(house: House) -> None:
    house.doorbell._turns = Turns(60)
    with house.page("sessions") as first:
        rings(first)
        taken = house.doorbell._turns._free
        with house.page("text:abc") as page:
            words(page)
            for _ in range(20):
                listen(page, "sessions", "text:abc")
                words(page)
                listen(page, "text:abc")
                words(page)

    assert house.doorbell._turns._free <= taken + 60


def test_a_page_that_waits_for_its_turn_hears_words_at_once_and_then_the_newest_number(house: House) -> None:
    house.doorbell._turns = Turns(60)
    with contextlib.ExitStack() as stack, house.page("sessions") as first:
        rings(first)
        second = stack.enter_context(house.page("sessions", "text:abc"))
        words(second)
        for _ in range(3):
            house.bus.ring(["sessions", "text:abc"])
            newest = house.bus.version("text:abc")
            while words(second)["text:abc"]["number"] != newest:
                pass
        (waiting,) = (bell for bell in house.doorbell._bells if bell.hears("text:abc"))
        waiting._turn = 0.0
        house.bus.ring(["text:abc"])
        heard = [json.loads(second.recv(timeout=PATIENCE)) for _ in range(2)]

    assert {"ring": {"sessions": house.bus.version("sessions")}} in heard


def test_rings_from_several_threads_arrive(house: House) -> None:
    topics = [f"session:s{number}" for number in range(8)]

    def ring(topic: str) -> None:
        for _ in range(200):
            house.bus.ring([topic])

    with house.page(*topics) as page:
        heard = rings(page)
        threads = [threading.Thread(target=ring, args=(topic,)) for topic in topics]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        last = {topic: house.bus.version(topic) for topic in topics}
        while heard != last:
            heard |= rings(page)


def test_when_the_last_page_leaves_nobody_listens_to_the_bus(house: House) -> None:
    with house.page("sessions") as first, house.page("sessions") as second:
        rings(first), rings(second)
        assert house.doorbell.open == 2

    eventually(lambda: house.doorbell.open == 0)
    eventually(lambda: not house.bus._listeners)
    with house.page("sessions") as page:
        rings(page)
        house.bus.ring(["sessions"])
        assert rings(page) == {"sessions": house.bus.version("sessions")}


def test_a_page_that_vanishes_is_forgotten(house: House) -> None:
    with house.page("sessions") as page:
        rings(page)

        page.socket.shutdown(socket.SHUT_RDWR)

        eventually(lambda: house.doorbell.open == 0)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "listen",
        "null",
        "[]",
        "{}",
        '{"listen": "sessions"}',
        '{"listen": {"sessions": 1}}',
        '{"listen": ["commands"]}',
        '{"listen": ["session:"]}',
        '{"listen": ["session:../x"]}',
        '{"listen": ["session:a b"]}',
        '{"listen": ["session:a\\n"]}',
        '{"listen": ["session:%00"]}',
        '{"listen": ["session:abc:def"]}',
        '{"listen": ["session"]}',
        '{"listen": ["SESSIONS"]}',
        '{"listen": ["row:\' OR 1=1--"]}',
        '{"listen": [1]}',
        '{"listen": [null]}',
        '{"listen": [["sessions"]]}',
        '{"listen": ["sessions", "nonsense"]}',
        json.dumps({"listen": ["session:" + "a" * 65]}),
        json.dumps({"listen": [f"session:{number}" for number in range(MAX_TOPICS + 1)]}),
        json.dumps({"listen": ["sessions"], "padding": "x" * MAX_MESSAGE}),
        "[" * 5_000,
    ],
)
def test_what_is_not_a_list_of_topics_is_refused(message: str) -> None:
    with pytest.raises(LuluError):
        parse_topics(message)


def test_as_many_topics_as_a_page_can_show_are_taken() -> None:
    topics = [f"session:{number}" for number in range(MAX_TOPICS)]

    assert parse_topics(json.dumps({"listen": topics})) == topics
    assert parse_topics('{"listen": []}') == []


def test_a_longer_message_is_not_even_read() -> None:
    with pytest.raises(InputError, match="too long"):
        parse_topics("[" * (MAX_MESSAGE + 1))


@pytest.mark.parametrize("message", ["nonsense", b"\x00\xff", '{"listen": ["session:../x"]}', "x" * (MAX_MESSAGE + 1)])
def test_a_page_that_misbehaves_is_closed(house: House, message: str | bytes) -> None:
    with house.page("sessions") as page, house.page("sessions") as other:
        page.send(message)

        assert close_code(page) == 1008
        house.bus.ring(["sessions"])
        assert rings(other)


def test_who_is_not_the_owner_hears_nothing() -> None:
    house = House(OpenDoor(admission=Admission(role=Role.GUEST)))
    house.thread.start()
    eventually(lambda: house.server.started)

    with house.page("sessions") as page:
        assert close_code(page) == 1008

    house.stop()
    assert [may_listen(None, ["sessions"]), may_listen(Admission(role=Role.OWNER), ["sessions"])] == [False, True]


def words(page: ClientConnection) -> dict[str, dict[str, object]]:
    """The words that the next message carries, by their topic."""
    said: dict[str, dict[str, object]] = json.loads(page.recv(timeout=PATIENCE))["text"]
    return said


def test_words_come_at_once_and_with_each_ring_of_their_session(house: House) -> None:
    with house.page("text:abc") as page:
        first = words(page)["text:abc"]
        house.said = {"writing": {"text": "half a w"}}
        house.bus.ring(["session:abc", "text:other"])
        house.bus.ring(["text:abc"])
        second = words(page)["text:abc"]

    number = house.bus.version("text:abc")
    assert first == {"writing": None, "number": number - 1}
    assert second == {"writing": {"text": "half a w"}, "number": number}


def test_words_are_read_once_for_all_pages_of_a_kind(house: House) -> None:
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(house.page("text:abc")) for _ in range(5)]
        guests = [stack.enter_context(house.page("shared:abc")) for _ in range(3)]
        for page in (*pages, *guests):
            words(page)
        house.asked.clear()
        house.bus.ring(["text:abc"])
        heard = [list(words(page)) for page in (*pages, *guests)]

    assert heard == [["text:abc"]] * 5 + [["shared:abc"]] * 3
    assert sorted(house.asked) == [("shared", "abc"), ("text", "abc")]


def test_words_of_a_session_that_nobody_listens_to_are_let_go(house: House) -> None:
    with house.page("text:abc") as staying, house.page() as page:
        words(staying)
        for number in range(30):
            listen(page, *(f"text:s{number}-{topic}" for topic in range(MAX_TOPICS)))
            for _ in range(MAX_TOPICS):
                words(page)

        assert len(house.doorbell._said) <= 2 * MAX_TOPICS + 1


@pytest.mark.parametrize("error", [LuluError("The file is gone."), ValueError("a mistake")])
def test_words_that_cannot_be_read_do_not_silence_the_bell(house: House, error: Exception) -> None:
    house.said = error
    with house.page("text:abc", "session:abc") as page:
        assert "session:abc" in rings(page)
        house.said = {"writing": None}
        house.bus.ring(["text:abc"])

        assert "text:abc" in words(page)


def test_close_all_ends_every_bell(house: House) -> None:
    with house.page("sessions") as first, house.page("session:abc") as second:
        rings(first), rings(second)

        house.doorbell.close_all()

        assert (close_code(first), close_code(second)) == (1001, 1001)
    eventually(lambda: house.doorbell.open == 0)


def test_close_all_without_a_bell_does_nothing() -> None:
    Doorbell(Bus, words=lambda kind, session_id: {}).close_all()


def test_the_server_stops_with_open_bells(house: House) -> None:
    with house.page("sessions") as listening, house.page() as silent:
        rings(listening)

        assert house.stop()
        assert close_code(silent) == 1012


def test_a_page_that_does_not_read_costs_one_number_a_topic(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "_GAP", 0)
    topics = [f"session:{'x' * 50}{number}" for number in range(MAX_TOPICS)]
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    page.connect(("127.0.0.1", house.port))
    page.sendall(
        f"GET /bell HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nOrigin: http://127.0.0.1:{house.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert page.recv(1_024).startswith(b"HTTP/1.1 101")
    message = json.dumps({"listen": topics}).encode()
    page.sendall(b"\x81\xfe" + len(message).to_bytes(2, "big") + b"\0\0\0\0" + message)
    eventually(lambda: house.doorbell.open == 1)
    (bell,) = house.doorbell._bells

    with house.page("sessions") as other:

        def is_stuck() -> bool:
            house.bus.ring(topics)
            # What another page hears now was sent after the turn of the one that does not read.
            for _ in range(3):
                house.bus.ring(["sessions"])
                while rings(other)["sessions"] < house.bus.version("sessions"):
                    pass
            return len(bell._untold) == MAX_TOPICS

        eventually(is_stuck, timeout=30, every=0)
        assert all(is_stuck() for _ in range(10))
    page.close()
    eventually(lambda: house.doorbell.open == 0)
