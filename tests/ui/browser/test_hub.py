"""The page's one socket, and the bells that ask for runs through it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocketRoute

from tests.ui.browser.conftest import Stage

APP = '<div class="stApp" data-test-script-state="notRunning" data-test-connection-state="CONNECTED"></div>'
PATH = "/bell"


class Server:
    """The other end of the socket: what it was asked for, and what it says."""

    def __init__(self, page: Page) -> None:
        self.asked: list[list[str]] = []
        self.sockets: list[WebSocketRoute] = []
        self._page = page
        page.route_web_socket("**/*", self._open)

    def ring(self, **numbers: int) -> None:
        """Send the current version of each topic."""
        self.sockets[-1].send(json.dumps({"ring": numbers}))
        # A message is handled before what comes after it.
        self._page.evaluate("new Promise((done) => setTimeout(done, 30))")

    def _open(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda message: self.asked.append(json.loads(message)["listen"]))


@pytest.fixture
def server(stage: Stage) -> Iterator[Server]:
    """Open a page with an idle client, a hub and a socket that the test answers."""
    made = Server(stage.page)
    stage.open(APP)
    yield made
    # So that nothing is on its way when the page is closed.
    stage.page.goto("about:blank")


def bell(stage: Stage, topic: str, *, seen: int = 0) -> None:
    stage.mount("bell.js", {"topic": topic, "seen": seen, "run": 0}, key=topic)


def script_state(stage: Stage, state: str) -> None:
    stage.page.evaluate("(state) => { document.querySelector('.stApp').dataset.testScriptState = state; }", state)


def asked_runs(stage: Stage, count: int) -> list[list[object]]:
    stage.page.wait_for_function("(count) => window.triggers.length >= count", arg=count)
    return stage.triggers


def test_bells_share_one_socket_wherever_they_come_from(stage: Stage, server: Server) -> None:
    bell(stage, "before")
    stage.mount("hub.js", {"path": PATH})
    bell(stage, "after")
    stage.page.wait_for_function("window.luluHub.last('ring', 'x') === undefined")

    server.ring(before=1, after=1)

    assert [socket.url for socket in server.sockets] == [f"ws://lulu.localhost{PATH}"]
    assert server.asked[-1] == ["after", "before"]


def test_a_bell_asks_for_a_run_when_its_topic_has_rung_past_what_was_drawn(stage: Stage, server: Server) -> None:
    stage.mount("hub.js", {"path": PATH})
    bell(stage, "mine", seen=3)
    bell(stage, "other", seen=3)
    stage.page.wait_for_function("window.luluHub !== undefined")

    server.ring(mine=4, other=3)

    assert asked_runs(stage, 1) == [["ring", 4]]


def test_a_second_run_waits_until_the_first_has_come(stage: Stage, server: Server) -> None:
    stage.mount("hub.js", {"path": PATH})
    bell(stage, "one")
    bell(stage, "two")

    server.ring(one=1, two=1)
    before = asked_runs(stage, 1)
    stage.page.evaluate("new Promise((done) => setTimeout(done, 200))")
    unanswered = stage.triggers
    bell(stage, "one", seen=1)

    assert before == unanswered == [["ring", 1]]
    assert asked_runs(stage, 2) == [["ring", 1], ["ring", 1]]


def test_no_run_is_asked_for_while_the_page_runs(stage: Stage, server: Server) -> None:
    stage.mount("hub.js", {"path": PATH})
    bell(stage, "mine")
    script_state(stage, "running")

    server.ring(mine=1)
    stage.page.evaluate("new Promise((done) => setTimeout(done, 200))")
    while_it_runs = stage.triggers
    script_state(stage, "notRunning")

    assert while_it_runs == []
    assert asked_runs(stage, 1) == [["ring", 1]]


def test_bells_tick_while_the_socket_is_away(stage: Stage, server: Server) -> None:
    stage.mount("hub.js", {"path": PATH})
    bell(stage, "mine")
    server.ring(other=1)

    # It does not come back.
    stage.page.evaluate("() => { window.WebSocket = class { close() {} }; }")
    server.sockets[-1].close()

    assert asked_runs(stage, 1) == [["ring", 0]]
