"""The web edge in a real browser: guard, bell and text together, under the headers that are shipped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect, sync_playwright

from tests.e2e.edge import payloads

_ROOT = Path(__file__).parents[2]
_EDGE = Path(__file__).parent / "edge"
_CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def eventually(check: Callable[[], Any], within: float = 10) -> Any:
    """The first true value of ``check``, asked for until then."""
    deadline = time.monotonic() + within
    while not (value := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


class Server:
    """One process of the tiny app."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), str(_EDGE)])}
        command = [sys.executable, "-m", "streamlit", "run", str(_EDGE / "app.py"), "--server.port", str(port)]
        self.process = subprocess.Popen(command, cwd=_ROOT, env=environment)
        eventually(self._answers, within=30)

    def _answers(self) -> bool:
        try:
            return self.get("/healthz")["status"] == "ok"
        except OSError:
            return False

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def say(self, *topics: str, text: str = "") -> Any:
        return self.get("/say?" + urlencode([("text", text), *(("topic", topic) for topic in topics)]))

    def stop(self, within: float = 10) -> float:
        """Seconds from SIGTERM to the end of the process."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(within)
        return time.monotonic() - began

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server(free_port())
    yield running
    running.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_CHROMIUM_ARGS)
        yield chromium
        chromium.close()


class Watched:
    """A page that remembers what it asked for and what it complained about."""

    def __init__(self, page: Page, own: str) -> None:
        self.page = page
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        self.sockets: list[str] = []
        page.on("request", lambda r: None if r.url.startswith((own, f"blob:{own}")) else self.elsewhere.append(r.url))
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("websocket", lambda ws: self.sockets.append(ws.url))


@pytest.fixture
def watched(browser: Browser, server: Server) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Watched(context.new_page(), server.url)
    context.close()


def open_live(watched: Watched, server: Server) -> Page:
    before = server.say()["bells"]
    watched.page.goto(server.url)
    watched.page.get_by_text("before", exact=True).wait_for()
    page_eventually(watched.page, lambda: server.say()["bells"] > before)
    return watched.page


def page_eventually(page: Page, check: Callable[[], Any], within: float = 15) -> Any:
    """As ``eventually``, but the browser's events are heard meanwhile."""
    return eventually(lambda: (page.wait_for_timeout(20), check())[1], within)


@pytest.fixture(scope="module")
def text_page(browser: Browser, server: Server) -> Iterator[Watched]:
    """The page with every payload, once for the tests that only read it."""
    watched = Watched(browser.new_page(), server.url)
    watched.page.goto(f"{server.url}/?view=text")
    watched.page.get_by_text("drawn", exact=True).wait_for(timeout=30_000)
    expect(watched.page.locator(".st-key-code code")).to_have_count(5, timeout=30_000)
    yield watched
    watched.page.close()


def texts(page: Page, selectors: list[str]) -> list[list[str]]:
    """For each selector the texts of what it finds, spaces as one."""
    found = page.evaluate(
        "all => all.map(one => [...document.querySelectorAll(one)].map(node => node.textContent))", selectors
    )
    return [[words(text) for text in some] for some in found]


def words(text: str | None) -> str:
    return " ".join((text or "").split())


#: Where a label is drawn.
LABELS = {
    "button": "[data-testid=stButton] button p",
    "page_link": "[data-testid=stPageLink] p",
    "expander": "summary p",
    "badge": ".stMarkdownBadge",
    "checkbox": "[data-testid=stCheckbox] label p",
}


def test_labels_are_shown_as_typed(text_page: Watched) -> None:
    typed = [*payloads.LINES, *payloads.STARTS, *payloads.MARKED, *payloads.REPLACED]
    places = [(line, f".st-key-label_{index} {place}") for index, line in enumerate(typed) for place in LABELS.values()]

    shown = texts(text_page.page, [selector for _, selector in places])

    assert shown == [[words(payloads.REPLACED.get(line, line))] for line, _ in places]
    links = text_page.page.locator("[class*=st-key-label_] a").evaluate_all("all => all.map(link => link.href)")
    assert set(links) == {"https://example.org/"}


def test_markdown_is_shown_as_typed(text_page: Watched) -> None:
    typed = [*payloads.LINES, *payloads.MARKED, *payloads.REPLACED]

    shown = texts(text_page.page, [f".st-key-line_{index} p" for index in range(len(typed))])

    changed = payloads.REPLACED | payloads.MARKED
    assert shown == [[words(changed.get(line, line))] * 2 for line in typed]


def test_markdown_keeps_its_formatting_and_code_its_letters(text_page: Watched) -> None:
    kept = text_page.page.locator(".st-key-kept")
    code = text_page.page.locator(".st-key-code code").all_text_contents()

    for selector in (
        "h1",
        "em",
        "strong",
        "del",
        "code",
        "ol > li > ul > li",
        "input:checked",
        "blockquote",
        "td",
        "hr",
    ):
        assert kept.locator(selector).count() >= 1, selector
    links = kept.locator("p a").evaluate_all("all => all.map(link => link.getAttribute('href'))")
    assert links == [
        "https://example.org/a_b?c=d&e",
        "https://example.org/auto",
        "https://example.org/bare_one_(x)",
        "mailto:me@example.org",
    ]
    assert code == [payloads.CODE, payloads.CODE, "b`c $x$ :red[d]", "in\n list", payloads.CODE]


def test_text_leaves_nothing_active_and_asks_nobody(text_page: Watched) -> None:
    drawn = text_page.page.locator("[data-testid=stMain]")
    assert drawn.locator("img, picture, video, iframe, form, script, object, .katex, svg[id*=mermaid]").count() == 0
    links = drawn.locator("a").evaluate_all("all => all.map(link => link.getAttribute('href'))")
    assert [link for link in links if not link.startswith(("http://", "https://", "mailto:", "#"))] == []
    assert text_page.elsewhere == []
    assert text_page.complaints == []


def test_a_ring_reruns_its_fragment_only(watched: Watched, server: Server) -> None:
    page = open_live(watched, server)
    before = server.say()["runs"]

    server.say("session:abc", text="the first line")
    page.get_by_text("the first line").wait_for()

    runs = server.say()["runs"]
    assert (runs["page"], runs["side"]) == (before["page"], before["side"])
    assert runs["tail"] == before["tail"] + 1
    assert watched.complaints == []


def test_topics_that_ring_together_each_rerun_their_fragment(watched: Watched, server: Server) -> None:
    page = open_live(watched, server)

    for number in range(10):
        count = server.say("session:abc", "sessions", text=f"together {number}")
        expect(page.get_by_text(f"together {number}", exact=True)).to_be_visible()
        expect(page.get_by_test_id("stSidebar").get_by_text(f"{count['lines']} lines")).to_be_visible(timeout=1_500)


def test_a_burst_of_rings_becomes_few_runs(watched: Watched, server: Server) -> None:
    page = open_live(watched, server)
    before = server.say()["runs"]["tail"]

    for number in range(100):
        server.say("session:abc", text=f"burst {number}")
    page.get_by_text("burst 99", exact=True).wait_for()

    assert server.say()["runs"]["tail"] - before < 80


def test_all_bells_of_a_page_share_one_socket(watched: Watched, server: Server) -> None:
    open_live(watched, server)

    assert [url for url in watched.sockets if url.endswith("/bell")] == [server.url.replace("http", "ws") + "/bell"]


def test_a_bell_takes_no_room(watched: Watched, server: Server) -> None:
    page = open_live(watched, server)
    server.say("session:abc", text="below the bell")
    page.get_by_text("below the bell").wait_for()

    above, before, lines, after = (
        page.locator(selector).first.bounding_box() or {}
        for selector in ("text=above", "text=before", ".st-key-lines", "text=after")
    )

    gap = before["y"] - above["y"] - above["height"]
    assert after["y"] - lines["y"] - lines["height"] == gap


#: How far the page is scrolled: its scroller is the one that holds the most.
SCROLL = "() => Math.max(...[...document.querySelectorAll('section, div')].map(node => node.scrollTop))"


def test_rings_disturb_nothing(watched: Watched, server: Server) -> None:
    page = open_live(watched, server)
    page.get_by_text("a fold").click()
    expect(page.get_by_text("inside the fold")).to_be_visible()
    box = page.get_by_test_id("stChatInputTextArea")
    box.press_sequentially("half a thou")
    box.press("ArrowLeft")
    page.mouse.move(640, 300)
    page.mouse.wheel(0, 400)
    page_eventually(page, lambda: page.evaluate(SCROLL) > 0)
    page.wait_for_timeout(300)
    scroll = page.evaluate(SCROLL)

    for number in range(20):
        server.say("session:abc", "sessions", text=f"undisturbed {number}")
        page.get_by_text(f"undisturbed {number}", exact=True).wait_for(state="attached")

    assert page.evaluate(SCROLL) == scroll
    assert box.input_value() == "half a thou"
    assert box.evaluate("box => [document.activeElement === box, box.selectionStart]") == [True, 10]
    expect(page.get_by_text("inside the fold")).to_be_visible()


def test_what_is_sent_among_rings_arrives(watched: Watched, server: Server) -> None:
    page = open_live(watched, server)
    box = page.get_by_test_id("stChatInputTextArea")
    ringing = threading.Event()

    def ring() -> None:
        while not ringing.wait(0.03):
            server.say("session:abc", "sessions")

    thread = threading.Thread(target=ring)
    thread.start()
    try:
        for number in range(8):
            box.fill(f"sent {number}")
            box.press("Enter")
            page_eventually(page, lambda number=number: f"> sent {number}" in server.say()["said"])
    finally:
        ringing.set()
        thread.join()


def test_a_page_at_rest_runs_nothing(watched: Watched, server: Server) -> None:
    page = open_live(watched, server)
    before = server.say()["runs"]

    page.wait_for_timeout(2_500)

    assert server.say()["runs"] == before


def test_without_its_socket_a_page_ticks(watched: Watched, server: Server) -> None:
    watched.page.route_web_socket("**/bell", lambda socket: socket.close())
    watched.page.goto(server.url)
    watched.page.get_by_text("before", exact=True).wait_for()

    server.say(text="without a ring")

    expect(watched.page.get_by_text("without a ring")).to_be_visible()


def test_a_socket_that_does_not_open_is_replaced_by_ticks(watched: Watched, server: Server) -> None:
    watched.page.add_init_script(
        "window.WebSocket = class extends WebSocket {"
        " constructor(url, protocols) { super(url.endsWith('/bell') ? 'ws://' + location.host + '/x' : url, protocols);"
        " if (url.endsWith('/bell')) Object.defineProperty(this, 'onclose', { set() {} }); } };"
    )
    watched.page.goto(server.url)
    watched.page.get_by_text("before", exact=True).wait_for()

    server.say(text="never opened")

    expect(watched.page.get_by_text("never opened")).to_be_visible(timeout=8_000)


def test_a_page_that_wakes_asks_at_once(watched: Watched, server: Server) -> None:
    answered: list[object] = []
    watched.page.route_web_socket("**/bell", lambda socket: connect_later(socket, answered))
    watched.page.goto(server.url)
    watched.page.get_by_text("before", exact=True).wait_for()
    page_eventually(watched.page, lambda: len(answered) == 1)
    server.say("session:abc", text="while it slept")

    watched.page.evaluate("window.dispatchEvent(new Event('online'))")

    expect(watched.page.get_by_text("while it slept")).to_be_visible(timeout=6_000)


def connect_later(socket: WebSocketRoute, answered: list[object]) -> None:
    """The first connection is open but dead, as after a sleep; the next ones work."""
    answered.append(socket)
    if len(answered) > 1:
        socket.connect_to_server()


def test_bells_that_are_gone_leave_the_socket(watched: Watched, server: Server) -> None:
    page = open_live(watched, server)
    before = server.say()["bells"]

    page.get_by_text("Hide").click()
    page.get_by_text("without bells").wait_for()

    page_eventually(page, lambda: server.say()["bells"] == before - 1)


def test_the_server_stops_quickly_and_the_page_finds_its_way_back(browser: Browser) -> None:
    port = free_port()
    first = Server(port)
    try:
        watched = Watched(browser.new_page(), first.url)
        page = open_live(watched, first)
        assert first.stop() < 5
        second = Server(port)
    finally:
        first.kill()
    try:
        page_eventually(page, lambda: second.say()["bells"] == 1, within=30)
        second.say("session:abc", text="after the restart")
        expect(page.get_by_text("after the restart")).to_be_visible()
    finally:
        second.kill()


def test_another_port_can_neither_connect_nor_frame(watched: Watched, server: Server) -> None:
    page = watched.page
    page.route(
        "http://localhost:1/**", lambda route: route.fulfill(body="<p>another server</p>", content_type="text/html")
    )
    page.goto("http://localhost:1/")
    own = server.url.replace("127.0.0.1", "localhost")

    opened = page.evaluate(
        "async urls => Promise.all(urls.map(url => new Promise(done => { const ws = new WebSocket(url);"
        " ws.onopen = () => done('open'); ws.onerror = () => done('refused'); })))",
        [own.replace("http", "ws") + path for path in ("/bell", "/_stcore/stream")],
    )
    read = page.evaluate("url => fetch(url).then(() => 'read', () => 'refused')", f"{own}/healthz")
    page.evaluate("url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }", own)
    page.wait_for_timeout(500)

    assert opened == ["refused", "refused"]
    assert read == "refused"
    assert [frame.url for frame in page.frames if frame.url.startswith(own)] == []
