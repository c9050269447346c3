"""Pages are rung one after the other: each in its turn, and words wait for none."""

from __future__ import annotations

import contextlib
import json
import time

import pytest

from lulu.access.guard import Admission
from lulu.actors import Role
from lulu.web.doorbell import Turns
from tests.doors import OpenDoor
from tests.support import eventually
from tests.web.bells import House, rings, words


def test_turns_are_apart_from_each_other_and_the_first_is_now() -> None:
    turns = Turns(0.5)

    assert [turns.take(now) for now in (7.0, 7.0, 7.2, 9.0, 9.1)] == [7.0, 7.5, 8.0, 9.0, 9.5]


def test_a_page_that_waits_for_its_turn_hears_words_at_once_and_then_the_newest_number(house: House) -> None:
    house.doorbell._turns[Role.OWNER] = Turns(60)
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
        heard = [json.loads(second.recv(timeout=5)) for _ in range(2)]

    assert {"ring": {"sessions": house.bus.version("sessions")}} in heard


@pytest.mark.parametrize(("role", "other"), [(Role.OWNER, Role.GUEST), (Role.GUEST, Role.OWNER)])
def test_owners_wait_for_no_guest_and_guests_for_no_owner(
    role: Role, other: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whom the session is shared with is another test's.
    monkeypatch.setattr("lulu.web.doorbell.may_listen", lambda admission, topics: True)
    house = House(OpenDoor(admission=Admission(role=role)))
    house.thread.start()
    eventually(lambda: house.server.started)
    house.doorbell._turns[other].take(time.monotonic() + 3600)
    with house.page("session:abc") as page:
        heard = rings(page)
    house.stop()

    assert heard == {"session:abc": house.bus.version("session:abc")}
