"""The web edge in a real browser: guard, bell and text together, under the headers that are shipped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.browser import Viewer
from tests.e2e.edge import payloads
from tests.e2e.edge.driver import Edge, open_live, page_eventually


@pytest.fixture(scope="module")
def text_viewer(browser: Browser, edge: Edge) -> Iterator[Viewer]:
    """The page with every payload, once for the tests that only read it."""
    viewer = Viewer(browser.new_context())
    viewer.page.goto(f"{edge.url}/?view=text")
    viewer.page.get_by_text("drawn", exact=True).wait_for()
    expect(viewer.page.locator(".st-key-code code")).to_have_count(5)
    yield viewer
    viewer.close()


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


def test_labels_are_shown_as_typed(text_viewer: Viewer) -> None:
    typed = [*payloads.LINES, *payloads.STARTS, *payloads.MARKED, *payloads.REPLACED]
    places = [(line, f".st-key-label_{index} {place}") for index, line in enumerate(typed) for place in LABELS.values()]

    shown = texts(text_viewer.page, [selector for _, selector in places])

    assert shown == [[words(payloads.REPLACED.get(line, line))] for line, _ in places]
    links = text_viewer.page.locator("[class*=st-key-label_] a").evaluate_all("all => all.map(link => link.href)")
    assert set(links) == {"https://example.org/"}


def test_markdown_is_shown_as_typed(text_viewer: Viewer) -> None:
    typed = [*payloads.LINES, *payloads.MARKED, *payloads.REPLACED]

    shown = texts(text_viewer.page, [f".st-key-line_{index} p" for index in range(len(typed))])

    changed = payloads.REPLACED | payloads.MARKED
    assert shown == [[words(changed.get(line, line))] * 2 for line in typed]


def test_markdown_keeps_its_formatting_and_code_its_letters(text_viewer: Viewer) -> None:
    kept = text_viewer.page.locator(".st-key-kept")
    code = text_viewer.page.locator(".st-key-code code").all_text_contents()

    for selector in (
        "h2",
        "em",
        "strong",
        "del",
        "code",
        "ol > li > ul > li",
        "li:text-is('☑ done')",
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


def test_text_leaves_nothing_active_and_asks_nobody(text_viewer: Viewer) -> None:
    drawn = text_viewer.page.locator(".stApp")
    assert drawn.locator("p").count() > 400
    assert drawn.locator("img, picture, video, iframe, form, script, object, .katex, svg[id*=mermaid]").count() == 0
    links = drawn.locator("a").evaluate_all("all => all.map(link => link.getAttribute('href'))")
    assert [link for link in links if not link.startswith(("http://", "https://", "mailto:", "#"))] == []
    assert text_viewer.offsite_requests == []
    assert text_viewer.console_errors == []


def test_a_ring_reruns_its_fragment_only(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    before = edge.say()["runs"]

    edge.say("session:abc", text="the first line")
    page.get_by_text("the first line").wait_for()

    runs = edge.say()["runs"]
    assert (runs["page"], runs["side"]) == (before["page"], before["side"])
    assert runs["tail"] == before["tail"] + 1
    assert viewer.console_errors == []


@pytest.mark.long
@pytest.mark.timing
def test_topics_that_ring_together_each_rerun_their_fragment(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    took = []

    for number in range(10):
        count = edge.say("session:abc", "sessions", text=f"together {number}")
        expect(page.get_by_text(f"together {number}", exact=True)).to_be_visible()
        began = time.monotonic()
        expect(page.get_by_test_id("stSidebar").get_by_text(f"{count['lines']} lines")).to_be_visible()
        took.append(time.monotonic() - began)

    # A bell whose run was lost asks again after three seconds: each time, whatever else the machine does.
    assert min(took) < 1.5


def test_a_burst_of_rings_becomes_few_runs(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    before = edge.say()["runs"]["tail"]

    edge.say("session:abc", times=500)
    edge.say("session:abc", text="after the burst", times=500)
    page.get_by_text("after the burst").wait_for()

    assert edge.say()["runs"]["tail"] - before < 20


def test_all_bells_of_a_page_share_one_socket(viewer: Viewer, edge: Edge) -> None:
    open_live(viewer, edge)

    assert [url for url in viewer.requests if url.endswith("/bell")] == [edge.url.replace("http", "ws") + "/bell"]


@pytest.mark.long
def test_a_bell_takes_no_room(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    edge.say("session:abc", text="below the bell")
    page.get_by_text("below the bell").wait_for()

    gaps = page.evaluate(
        """() => {
          const texts = [...document.querySelectorAll('[data-testid=stText]')];
          const box = (node) => node.getBoundingClientRect();
          const [above, before, after] = ["above", "before", "after"].map(
            (text) => box(texts.find((node) => node.textContent === text)));
          const lines = box(document.querySelector(".st-key-lines"));
          return [before.top - above.bottom, after.top - lines.bottom];
        }"""
    )

    assert gaps[0] == pytest.approx(gaps[1], abs=0.5)


@pytest.mark.long
def test_what_is_sent_among_rings_arrives(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    box = page.get_by_test_id("stChatInputTextArea")
    ringing = threading.Event()

    def ring() -> None:
        while not ringing.wait(0.03):
            edge.say("session:abc", "sessions")

    thread = threading.Thread(target=ring)
    thread.start()
    try:
        for number in range(8):
            box.fill(f"sent {number}")
            box.press("Enter")
            expect(page.get_by_text(f"> sent {number}", exact=True)).to_be_visible()
    finally:
        ringing.set()
        thread.join()


def test_a_page_at_rest_runs_nothing(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    before = edge.say()["runs"]

    page.wait_for_timeout(2_500)

    assert edge.say()["runs"] == before


@pytest.mark.long
def test_without_its_socket_a_page_ticks(viewer: Viewer, edge: Edge) -> None:
    viewer.page.route_web_socket("**/bell", lambda socket: socket.close())
    viewer.page.goto(edge.url)
    viewer.page.get_by_text("before", exact=True).wait_for()

    edge.say(text="without a ring")

    expect(viewer.page.get_by_text("without a ring")).to_be_visible()


@pytest.mark.long
def test_a_socket_that_does_not_open_is_replaced_by_ticks(viewer: Viewer, edge: Edge) -> None:
    viewer.page.add_init_script(
        "window.WebSocket = class extends WebSocket {"
        " constructor(url, protocols) { super(url.endsWith('/bell') ? 'ws://' + location.host + '/x' : url, protocols);"
        " if (url.endsWith('/bell')) Object.defineProperty(this, 'onclose', { set() {} }); } };"
    )
    viewer.page.goto(edge.url)
    viewer.page.get_by_text("before", exact=True).wait_for()

    edge.say(text="never opened")

    expect(viewer.page.get_by_text("never opened")).to_be_visible()


@pytest.mark.long
def test_a_page_that_wakes_asks_at_once(viewer: Viewer, edge: Edge) -> None:
    answered: list[object] = []
    viewer.page.add_init_script(NO_LOOKS)
    viewer.page.route_web_socket("**/bell", lambda socket: connect_later(socket, answered))
    viewer.page.goto(edge.url)
    viewer.page.get_by_text("before", exact=True).wait_for()
    page_eventually(viewer.page, lambda: len(answered) == 1)
    edge.say("session:abc", text="while it slept")

    viewer.page.evaluate("window.dispatchEvent(new Event('online'))")

    expect(viewer.page.get_by_text("while it slept")).to_be_visible()


#: Nothing is looked at from time to time, which finds a dead connection later than the wake does.
NO_LOOKS = """
const every = window.setInterval;
window.setInterval = (work, pause, ...more) => (pause < 10_000 ? every(work, pause, ...more) : 0);
"""


def connect_later(socket: WebSocketRoute, answered: list[object]) -> None:
    """The first connection is open but dead, as after a sleep; the next ones work."""
    answered.append(socket)
    if len(answered) > 1:
        socket.connect_to_server()


@pytest.mark.long
def test_bells_that_are_gone_leave_the_socket(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    # Those of pages that others have closed are gone.
    page_eventually(page, lambda: edge.say()["bells"] == 1)

    page.get_by_text("Hide").click()
    page.get_by_text("without bells").wait_for()

    page_eventually(page, lambda: edge.say()["bells"] == 0)


@pytest.mark.long
def test_the_server_stops_and_the_page_finds_its_way_back(tmp_path: Path, viewer: Viewer) -> None:
    own = Edge(tmp_path / "own")
    try:
        own.process.start()
        page = open_live(viewer, own)

        own.process.terminate()
        own.process.start()
        page_eventually(page, lambda: own.say()["bells"] == 1)
        own.say("session:abc", text="after the restart")

        expect(page.get_by_text("after the restart")).to_be_visible()
    finally:
        own.close()


def test_another_port_can_neither_connect_nor_frame(viewer: Viewer, edge: Edge) -> None:
    page = viewer.page
    page.route(
        "http://localhost:1/**", lambda route: route.fulfill(body="<p>another server</p>", content_type="text/html")
    )
    page.goto("http://localhost:1/")
    own = edge.url.replace("127.0.0.1", "localhost")

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
