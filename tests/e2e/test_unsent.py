"""What a person types is theirs, in a real browser: it stays where it was typed until the store has it."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import at_rest, page_eventually
from tests.e2e.prompts import PATIENCE, box, keep_what_is_typed, send, start, status
from tests.e2e.test_cockpit import FAST, approve
from tests.e2e.test_guest import CLOSED
from tests.tiers import keep_short

MESSAGES = "SELECT message FROM approvals"
#: What is sent is with the store by then, or is lost (seconds).
LATE = 20
_HOLDS = """text => [...document.querySelectorAll("[class*=st-key-box_] textarea")]
  .some((box) => box.value === text && !("sending" in box.dataset))"""


def row(page: Page, title: str) -> Locator:
    return page.locator(".st-key-session_list a", has_text=title).first


def transcript(page: Page) -> Locator:
    return page.locator(".st-key-transcript")


def sent(page: Page, prompt: str) -> Locator:
    """The prompts of the transcript that say just this."""
    return transcript(page).locator("[class*='st-key-at_']").get_by_text(prompt, exact=True)


def two_sessions(page: Page, url: str) -> tuple[str, str]:
    """Two sessions that have ended; their addresses. The second one is on the page."""
    addresses = []
    for prompt in ("the first story", "the second story"):
        addresses.append(start(page, url, prompt))
        expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    return addresses[0], addresses[1]


def open_row(page: Page, title: str) -> None:
    row(page, title).click()
    expect(page.locator(".st-key-session_header").get_by_text(title)).to_be_visible(timeout=PATIENCE)


@pytest.mark.long
def test_a_text_belongs_to_its_session_and_is_there_again(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    first, _ = two_sessions(page, lulu.url)
    keep_what_is_typed(page)
    box(page).press_sequentially("for the second")

    open_row(page, "the first story")
    expect(box(page)).to_have_value("")
    box(page).press_sequentially("for the first")
    open_row(page, "the second story")
    expect(box(page)).to_have_value("for the second")
    page.get_by_role("link", name="New session").click()
    page.wait_for_url(f"{lulu.url}/")
    expect(box(page)).to_have_value("")
    box(page).press_sequentially("for a new one")
    page.go_back()
    expect(box(page)).to_have_value("for the second", timeout=PATIENCE)
    page.reload()
    expect(box(page)).to_have_value("for the second", timeout=PATIENCE)
    page.goto(f"{lulu.url}/inbox")
    page.goto(first)
    expect(box(page)).to_have_value("for the first", timeout=PATIENCE)
    page.goto(lulu.url)
    expect(box(page)).to_have_value("for a new one", timeout=PATIENCE)


def test_a_text_survives_the_server_and_the_window(server: NewServer, viewer: Viewer) -> None:
    lulu = server(env=FAST)
    address = start(viewer.page, lulu.url, "the first story")
    expect(status(viewer.page, "completed")).to_be_visible(timeout=PATIENCE)
    keep_what_is_typed(viewer.page)
    box(viewer.page).press_sequentially("half a thought")

    lulu.kill9()
    expect(viewer.page.locator(".stApp")).not_to_have_attribute(
        "data-test-connection-state", "CONNECTED", timeout=PATIENCE
    )
    box(viewer.page).press_sequentially(", and more", timeout=PATIENCE)
    lulu.start()
    expect(viewer.page.locator(".stApp")).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=PATIENCE)
    expect(box(viewer.page)).to_have_value("half a thought, and more")
    viewer.page.close()
    again = viewer.context.new_page()
    again.goto(address)
    expect(box(again)).to_have_value("half a thought, and more", timeout=PATIENCE)

    again.keyboard.press("Escape")
    box(again).press("Enter")
    expect(sent(again, "half a thought, and more")).to_have_count(1, timeout=PATIENCE)
    expect(box(again)).to_have_value("", timeout=PATIENCE)
    third = viewer.context.new_page()
    third.goto(address)
    expect(sent(third, "half a thought, and more").first).to_be_visible(timeout=PATIENCE)
    expect(box(third)).to_have_value("")


@pytest.mark.long
def test_two_tabs_of_one_session_keep_their_own_texts(server: NewServer, viewer: Viewer) -> None:
    lulu = server(env=FAST)
    one = viewer.page
    address = start(one, lulu.url, "the first story")
    expect(status(one, "completed")).to_be_visible(timeout=PATIENCE)
    other = viewer.context.new_page()
    other.goto(address)
    expect(box(other)).to_be_enabled(timeout=PATIENCE)
    for page in (one, other):
        keep_what_is_typed(page)
    box(one).press_sequentially("of the one")
    box(other).press_sequentially("of the other")

    for page in (one, other):
        page.reload()
    expect(box(one)).to_have_value("of the one", timeout=PATIENCE)
    expect(box(other)).to_have_value("of the other", timeout=PATIENCE)
    box(other).press("Enter")
    expect(box(other)).to_have_value("", timeout=PATIENCE)
    one.reload()
    expect(box(one)).to_have_value("of the one", timeout=PATIENCE)
    other.reload()
    expect(sent(other, "of the other").first).to_be_visible(timeout=PATIENCE)
    expect(box(other)).to_have_value("", timeout=PATIENCE)


def holds(page: Page, text: str) -> bool:
    """Whether a box holds just this, and it is not on its way; asked at once, as the page may change meanwhile."""
    return bool(page.evaluate(_HOLDS, text))


def send_again(page: Page, text: str, is_sent: Callable[[], bool]) -> None:
    """Press Enter until it is sent: what comes before the server knows the page again is back in the box after 5 s.

    So is what comes late, until the store has it: that is waited for.
    """
    pressed_at = -float(LATE)

    def try_it() -> bool:
        nonlocal pressed_at
        if is_sent():
            return True
        if holds(page, text) and time.monotonic() > pressed_at + LATE:
            pressed_at = time.monotonic()
            box(page).press("Enter")
        return False

    page_eventually(page, try_it, timeout=PATIENCE / 1_000)


@pytest.mark.parametrize("reloads", [False, True])
@pytest.mark.long
def test_a_prompt_sent_to_a_server_that_hangs_and_dies_is_in_the_box_again(
    server: NewServer, page: Page, reloads: bool
) -> None:
    lulu = server(env=FAST)
    start(page, lulu.url, "the first story")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    os.kill(lulu.pid, signal.SIGSTOP)
    send(page, "tell me more")
    # It is on its way: neither gone from the box, nor to be sent twice.
    expect(box(page)).to_have_value("tell me more")
    box(page).press("Enter")

    lulu.kill9()
    lulu.start()

    if reloads:
        page.reload()
    expect(page.locator(".stApp")).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=PATIENCE)
    expect(box(page)).to_have_value("tell me more", timeout=PATIENCE)
    expect(box(page)).not_to_have_attribute("data-sending", "", timeout=PATIENCE)
    expect(sent(page, "tell me more")).to_have_count(0)
    send_again(page, "tell me more", lambda: sent(page, "tell me more").count() > 0)
    expect(sent(page, "tell me more")).to_have_count(1, timeout=PATIENCE)
    expect(box(page)).to_have_value("", timeout=PATIENCE)


@pytest.mark.parametrize("reloads", [False, True])
@pytest.mark.long
def test_a_prompt_that_the_store_got_late_is_sent_once(server: NewServer, page: Page, reloads: bool) -> None:
    lulu = server(env=FAST)
    start(page, lulu.url, "the first story")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    os.kill(lulu.pid, signal.SIGSTOP)
    send(page, "tell me more")
    expect(box(page)).to_have_value("tell me more")
    if reloads:
        page.evaluate("location.reload()")

    os.kill(lulu.pid, signal.SIGCONT)

    expect(sent(page, "tell me more")).to_have_count(1, timeout=PATIENCE)
    expect(box(page)).to_have_value("", timeout=PATIENCE)
    page.reload()
    expect(sent(page, "tell me more")).to_have_count(1, timeout=PATIENCE)
    expect(box(page)).to_have_value("", timeout=PATIENCE)


@pytest.mark.long
def test_the_first_prompt_of_a_session_is_kept_too(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    page.goto(lulu.url)
    expect(box(page)).to_be_enabled(timeout=PATIENCE)
    keep_what_is_typed(page)
    os.kill(lulu.pid, signal.SIGSTOP)
    send(page, "the first story")
    lulu.kill9()
    lulu.start()

    expect(page.locator(".stApp")).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=PATIENCE)
    expect(box(page)).to_have_value("the first story", timeout=PATIENCE)
    expect(box(page)).not_to_have_attribute("data-sending", "", timeout=PATIENCE)
    send_again(page, "the first story", lambda: "/session?id=" in page.url)
    expect(box(page)).to_have_value("")
    page.goto(lulu.url)
    expect(box(page)).to_be_enabled(timeout=PATIENCE)
    expect(box(page)).to_have_value("")
    expect(page.locator(".st-key-session_list a")).to_have_count(1)


@pytest.mark.parametrize("typed", keep_short(1, " and then", "tell me more, please", "tell me more"))
@pytest.mark.parametrize("way", keep_short(1, "keys", "paste"))
def test_what_is_typed_while_a_prompt_is_on_its_way_is_the_next_one(
    server: NewServer, page: Page, typed: str, way: str
) -> None:
    lulu = server(env=FAST)
    start(page, lulu.url, "the first story")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    os.kill(lulu.pid, signal.SIGSTOP)
    send(page, "tell me more")
    expect(box(page)).to_have_attribute("data-sending", "")
    if way == "keys":
        box(page).press_sequentially(typed)
    else:
        page.keyboard.insert_text(typed)
    expect(box(page)).to_have_value(typed)

    os.kill(lulu.pid, signal.SIGCONT)

    expect(sent(page, "tell me more")).to_have_count(1, timeout=PATIENCE)
    expect(box(page)).to_have_value(typed)
    send_again(page, typed, lambda: box(page).input_value() == "")
    with closing(sqlite3.connect(lulu.database)) as rows:
        assert prompts(rows) == ["tell me more", typed]


def prompts(rows: sqlite3.Connection) -> list[str]:
    """What was sent to sessions that were there, in order."""
    return [
        text for (text,) in rows.execute("SELECT payload ->> 'text' FROM commands WHERE kind = 'prompt' ORDER BY id")
    ]


@pytest.mark.long
def test_what_is_put_into_the_box_does_not_replace_what_was_typed(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    page.goto(lulu.url)
    folder = page.get_by_label("Folder", exact=True)
    folder.fill("/not/there", timeout=PATIENCE)
    folder.press("Enter")
    page.wait_for_function("() => window.luluUnsent !== undefined", timeout=PATIENCE)
    os.kill(lulu.pid, signal.SIGSTOP)
    send(page, "one that is refused")
    box(page).press_sequentially("and the next")

    os.kill(lulu.pid, signal.SIGCONT)

    expect(box(page)).to_have_value("one that is refused\n\nand the next", timeout=PATIENCE)
    expect(page.get_by_text("/not/there").first).to_be_visible(timeout=PATIENCE)


@pytest.mark.long
def test_a_command_of_the_menu_goes_before_what_was_typed(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    start(page, lulu.url, "the first story")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    box(page).press_sequentially("the long story")
    at_rest(page)
    page.locator(".st-key-slash_menu button").first.click()
    page.locator(".st-key-slash_compact button").click(timeout=PATIENCE)

    expect(box(page)).to_have_value("/compact the long story", timeout=PATIENCE)


def test_the_same_prompt_twice_in_a_row_is_sent_twice(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    start(page, lulu.url, "the first story")
    for count in (1, 2):
        expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
        send(page, "echo once")
        approve(page).click(timeout=PATIENCE)
        expect(sent(page, "echo once")).to_have_count(count, timeout=PATIENCE)
        expect(box(page)).to_have_value("", timeout=PATIENCE)


@pytest.mark.long
def test_other_long_fields_keep_their_texts_in_the_tab(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    start(page, lulu.url, "Give me the tour")
    reason = page.locator("[class*='st-key-reason_'] input").first
    more = page.locator("[class*='st-key-deny_more_'] button").first
    more.click(timeout=PATIENCE)
    keep_what_is_typed(page)
    reason.press_sequentially("not in this folder", timeout=PATIENCE)

    page.reload()

    more.click(timeout=PATIENCE)
    expect(reason).to_have_value("not in this folder", timeout=PATIENCE)
    page.locator("[class*='st-key-deny_reason_'] button").first.click()
    expect(reason).to_be_hidden(timeout=PATIENCE)
    with closing(sqlite3.connect(lulu.database)) as rows:
        page_eventually(page, lambda: rows.execute(MESSAGES).fetchall() == [("not in this folder",)])


@pytest.mark.long
def test_nobody_who_was_signed_out_leaves_a_text(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    page.goto(f"{lulu.url}/devices")
    page.get_by_role("link", name="New session").click()
    box(page).press_sequentially("a secret plan", timeout=PATIENCE)
    page.goto(f"{lulu.url}/devices")

    page.get_by_role("button", name="Sign out").click(timeout=PATIENCE)

    expect(page.get_by_role("heading", name=CLOSED)).to_be_visible(timeout=PATIENCE)
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "a secret plan" not in kept
