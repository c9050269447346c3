"""What only a real browser can show: nothing is lost, moved or emptied while agents write; a phone is enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import at_rest, page_eventually
from tests.e2e.prompts import PATIENCE, box, start, status

#: Pixels from the end of the page that still count as its end.
_AT_THE_END = 2
_FROM_THE_END = """() => {
  const page = document.querySelector("[data-testid=stMain]");
  return page.scrollHeight - page.scrollTop - page.clientHeight;
}"""
#: Keeps what the page asks Streamlit's server for, and asks for ``late`` after it, too.
_KEEP_REQUESTS = """
window.asked = [];
window.late = null;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  send.call(this, data);
  if (!this.url.endsWith("/_stcore/stream")) return;
  window.asked.push(data);
  if (window.late) send.call(this, window.late);
};
"""


def test_folds_focus_typed_text_and_the_end_survive_live_updates(server: NewServer, viewer: Viewer) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "4"})
    page = viewer.page
    start(page, lulu.url, "Give me the tour")
    fold = fold_of(page, "invoice.py")
    fold.locator("> summary").click(timeout=PATIENCE)
    prompt = box(page)
    prompt.press_sequentially("half a prompt", timeout=PATIENCE)

    expect(page.locator("[class*=st-key-approve_] button")).to_be_visible(timeout=PATIENCE)

    expect(prompt).to_be_focused()
    expect(prompt).to_have_value("half a prompt")
    expect(fold).to_have_attribute("open", "")
    # Who opens something reads there, wherever the page was by then; who scrolls to the end is followed.
    page.locator("[data-testid=stMain]").hover()
    page.mouse.wheel(0, 100_000)
    # A function: the page's policy lets no text be evaluated once more.
    page.wait_for_function(f"most => ({_FROM_THE_END})() <= most", arg=_AT_THE_END, timeout=PATIENCE)
    page.locator("[class*=st-key-approve_] button").click()
    expect(fold_of(page, "python -m pytest")).to_be_visible(timeout=PATIENCE)
    page.wait_for_function(f"most => ({_FROM_THE_END})() <= most", arg=_AT_THE_END, timeout=PATIENCE)
    expect(prompt).to_have_value("half a prompt")
    expect(fold).to_have_attribute("open", "")
    assert viewer.console_errors == []


@pytest.mark.long
def test_a_page_that_is_left_while_agents_write_is_never_empty(server: NewServer, viewer: Viewer) -> None:
    lulu = server()
    page = viewer.page
    for _ in range(3):
        start(page, lulu.url, "Tell me a story")

    for _ in range(5):
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_text("Current settings")).to_be_visible(timeout=PATIENCE)
        still_there(page, "Current settings")
        page.locator(".st-key-session_list a").first.click()
        expect(page.locator(".st-key-session_header")).to_be_visible(timeout=PATIENCE)
        still_there(page, "Tell me a story")

    assert viewer.console_errors == []


@pytest.mark.long
def test_what_a_page_asked_for_before_it_was_left_empties_no_other(server: NewServer, viewer: Viewer) -> None:
    """On a slow machine a request of the old page's parts is sent after the click that leaves it, and comes last."""
    lulu = server()
    page = viewer.page
    page.add_init_script(_KEEP_REQUESTS)
    start(page, lulu.url, "Tell me a story")
    page_eventually(page, lambda: bool(fragments_asked(page)))
    page.evaluate("at => { window.late = window.asked[at]; }", fragments_asked(page)[-1])

    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text("Current settings")).to_be_visible(timeout=PATIENCE)
    still_there(page, "Current settings")

    assert viewer.console_errors == []


@pytest.mark.long
def test_the_address_follows_the_session_shown(server: NewServer, viewer: Viewer) -> None:
    # A story that lasts until somebody stops it, also beside other programs.
    lulu = server(env={"LULU_DEMO_SPEED": "0.3"})
    page = viewer.page
    addresses = {}
    for name in ("Story of the first", "Story of the second"):
        start(page, lulu.url, name)
        page.locator(".st-key-session_header").get_by_role("button", name="Stop").click(timeout=PATIENCE)
        expect(status(page, "interrupted")).to_be_visible(timeout=PATIENCE)
        addresses[name] = page.url

    page.locator(".st-key-session_list a", has_text="Story of the first").click()

    title = page.locator(".st-key-session_header h1")
    expect(title).to_have_text("Story of the first", timeout=PATIENCE)
    expect(page).to_have_url(addresses["Story of the first"], timeout=PATIENCE)
    page.reload()
    expect(title).to_have_text("Story of the first", timeout=PATIENCE)
    page.go_back()
    expect(title).to_have_text("Story of the second", timeout=PATIENCE)
    expect(page).to_have_url(addresses["Story of the second"], timeout=PATIENCE)


@pytest.mark.long
def test_exactly_one_row_is_marked_as_open(server: NewServer, viewer: Viewer) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "20"})
    page = viewer.page
    for prompt in ("first story", "second story"):
        start(page, lulu.url, prompt)
        expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)

    marked = page.locator(".st-key-session_list a[aria-current=page]")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("second story")
    page.locator(".st-key-session_list a").filter(has_text="first story").click()
    expect(marked).to_contain_text("first story")

    at_rest(page)
    weights = page.locator(".st-key-session_list a .title").evaluate_all(
        "rows => rows.map(row => getComputedStyle(row).fontWeight)"
    )
    assert sorted(weights) == ["400", "600"]


def test_a_phone_shows_one_column_with_the_sidebar_closed(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "20"})
    page = new_viewer(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).page

    start(page, lulu.url, "Give me the tour of this project")
    approve = page.locator("[class*=st-key-approve_] button")
    expect(approve).to_be_visible(timeout=PATIENCE)

    expect(page.locator(".st-key-session_list")).not_to_be_in_viewport()
    at_rest(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    size = approve.bounding_box()
    assert size is not None
    assert size["height"] >= 36
    title = page.locator(".st-key-session_header h1").bounding_box()
    menu = page.get_by_test_id("stExpandSidebarButton").bounding_box()
    assert title is not None
    assert menu is not None
    assert title["x"] >= menu["x"] + menu["width"]


def fold_of(page: Page, text: str) -> Locator:
    return page.locator(f"details:has(> summary:has-text('{text}'))").first


def fragments_asked(page: Page) -> list[int]:
    """Which of the requests of this page, by their order, were a fragment's."""
    sent = page.evaluate("window.asked.map(data => [...data])")
    return [at for at, one in enumerate(sent) if BackMsg.FromString(bytes(one)).rerun_script.fragment_id]


def still_there(page: Page, text: str) -> None:
    """The page shows it now and after whatever was still under way."""
    page.wait_for_timeout(300)
    expect(page.locator("[data-testid=stMain]")).to_contain_text(text)
