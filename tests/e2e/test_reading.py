"""The place where somebody reads, in a real browser: nothing that comes moves it, and at the end the page follows."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Viewer
from tests.e2e.edge.driver import Edge, open_live, page_eventually, steady

#: How far the page is scrolled, and how far it could be.
PLACE = """() => {
  const main = document.querySelector("[data-testid=stMain]");
  return [main.scrollTop, main.scrollHeight - main.clientHeight];
}"""


def scrolled(page: Page) -> float:
    return float(page.evaluate(PLACE)[0])


def is_at_end(page: Page) -> bool:
    at, end = page.evaluate(PLACE)
    return bool(end - at < 4)


def scroll_up(page: Page, pixels: int) -> float:
    """Turn the wheel once, and wait until the page has moved so far and is at rest; how far it is scrolled then."""
    page.mouse.move(640, 300)
    before = scrolled(page)
    page.mouse.wheel(0, -pixels)
    page_eventually(page, lambda: scrolled(page) <= max(0.0, before - pixels + 50))
    return steady(page, lambda: scrolled(page))


def say_many(page: Page, edge: Edge, words: str, times: int) -> None:
    """So many lines, each with its own ring, until the page shows the last."""
    for number in range(times):
        edge.say("session:abc", "sessions", text=f"{words} {number}")
    page.get_by_text(f"{words} {times - 1}", exact=True).wait_for(state="attached")


@pytest.mark.long
def test_500_rings_disturb_nothing(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    new = page.get_by_role("button", name="New messages")
    page_eventually(page, lambda: is_at_end(page))
    page.get_by_text("a fold").click()
    expect(page.get_by_text("inside the fold")).to_be_visible()
    box = page.get_by_test_id("stChatInputTextArea")
    box.press_sequentially("half a thou")
    box.press("ArrowLeft")
    scroll_up(page, 20_000)
    page.mouse.wheel(0, 300)
    page_eventually(page, lambda: scrolled(page) > 100)
    read_at = steady(page, lambda: scrolled(page))

    say_many(page, edge, "undisturbed", 500)

    assert scrolled(page) == read_at
    assert box.input_value() == "half a thou"
    assert box.evaluate("box => [document.activeElement === box, box.selectionStart]") == [True, 10]
    expect(page.get_by_text("inside the fold")).to_be_visible()
    expect(new).to_be_visible()

    new.click()
    page_eventually(page, lambda: is_at_end(page))
    expect(new).to_be_hidden()
    say_many(page, edge, "followed", 40)
    page_eventually(page, lambda: is_at_end(page))
    expect(new).to_be_hidden()
    assert box.evaluate("box => [document.activeElement === box, box.value]") == [False, "half a thou"]


def scroll_back_and_stay(page: Page, count: Callable[[], int]) -> None:
    """One turn of the wheel while lines come; the page stays there while 20 more do."""
    read_at = scroll_up(page, 300)
    said = count()
    page_eventually(page, lambda: count() > said + 20)
    assert scrolled(page) == read_at


def test_a_short_scroll_back_among_rings_holds(viewer: Viewer, edge: Edge) -> None:
    page = open_live(viewer, edge)
    # As many as are shown: from here on the page is as high as it is.
    say_many(page, edge, "before", 100)
    page_eventually(page, lambda: is_at_end(page))
    ringing, lines = threading.Event(), 0

    def ring() -> None:
        nonlocal lines
        while not ringing.wait(0.02):
            edge.say("session:abc", text=f"streamed {lines}")
            lines += 1

    thread = threading.Thread(target=ring)
    thread.start()
    try:
        for _ in range(4):
            page_eventually(page, lambda: is_at_end(page))
            scroll_back_and_stay(page, lambda: lines)
            page.get_by_role("button", name="New messages").click()
    finally:
        ringing.set()
        thread.join()
