"""Back, reload and the phone keep the place; who comes to write need not click; an outage is told in Lulu's words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lulu.model.events import Text, User
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually, steady
from tests.e2e.prompts import PATIENCE, box, hear_keys, start, status
from tests.e2e.test_cockpit import FAST, approve
from tests.e2e.test_turns import SCROLLED, TURNS, at, filled, height_of, in_view, stays, wheel_by, wheel_to_top

IS_AT = "(place) => Math.abs(document.querySelector('[data-testid=stMain]').scrollTop - place) < 1"


@pytest.mark.long
def test_back_from_a_hit_keeps_the_search_and_its_place(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env=FAST)
    page = new_viewer(viewport={"width": 1280, "height": 180}).page
    start(page, lulu.url, "Tell me a story about the lighthouse")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    page.goto(f"{lulu.url}/search?q=the")
    hits = page.locator(".st-key-search_results .stPageLink a")
    expect(hits.nth(1)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
    hits.last.scroll_into_view_if_needed()
    place = steady(page, lambda: float(page.evaluate(SCROLLED)))
    assert place > 0

    hits.last.click()
    page.wait_for_url("**/session?id=*&event=*", timeout=PATIENCE)
    expect(page.locator(".st-key-session_header")).to_be_visible(timeout=PATIENCE)
    page.go_back()

    expect(hits.nth(1)).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_url(f"{lulu.url}/search?q=the")
    expect(page.get_by_placeholder("Words, code")).to_have_value("the")
    page.wait_for_function(IS_AT, arg=place, timeout=PATIENCE)
    page.reload()
    expect(hits.nth(1)).to_be_visible(timeout=PATIENCE)
    page.wait_for_function(IS_AT, arg=place, timeout=PATIENCE)


#: What is marked of an event that a search led to.
MARKED_WORDS = """() => [...(CSS.highlights.get("lulu-found") ?? [])].map((range) => range.toString().toLowerCase())"""


@pytest.mark.long
def test_a_hit_marks_the_words_that_were_looked_for(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(start=False)
    filled(
        lulu,
        [User(text="go"), Text(content="The *tax* is <b>rounded</b>. Tax & more; taxes."), Text(content="No tax.")],
    )
    lulu.start()
    viewer = new_viewer()
    viewer.sign_in(lulu)
    page = viewer.page
    page.goto(f"{lulu.url}/search?q=tax+%22is+%3Cb%3E%22")
    page.locator(".st-key-search_results .stPageLink a").first.click(timeout=PATIENCE)

    marked = page.locator(".st-key-marked")
    expect(marked).to_contain_text("rounded", timeout=PATIENCE)
    page_eventually(page, lambda: sorted(page.evaluate(MARKED_WORDS)) == ["is <b>", "tax", "tax", "tax"])
    # Nothing was put into the page for it.
    expect(marked.locator("mark, b")).to_have_count(0)
    assert viewer.console_errors == []


def test_back_and_reload_come_to_the_place_in_a_session(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(start=False)
    session_id = filled(lulu)
    lulu.start()
    viewer = new_viewer(viewport={"width": 1280, "height": 500})
    viewer.sign_in(lulu)
    page = viewer.page
    page.goto(f"{lulu.url}/session?id={session_id}")
    expect(at(page, f"answer {TURNS}.")).to_be_in_viewport(timeout=PATIENCE)
    wheel_to_top(page)
    wheel_by(page, 300)
    read = in_view(page)
    before = height_of(read)

    page.reload()
    expect(read).to_be_in_viewport(timeout=PATIENCE)
    stays(page, read, before)

    page.get_by_role("link", name="Inbox").click()
    page.wait_for_url("**/inbox", timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible(timeout=PATIENCE)
    page.go_back()
    expect(read).to_be_in_viewport(timeout=PATIENCE)
    stays(page, read, before)

    # Who comes by a link comes to the end.
    page.get_by_role("link", name="Inbox").click()
    page.wait_for_url("**/inbox", timeout=PATIENCE)
    page.locator(".st-key-session_list a").first.click()
    expect(at(page, f"answer {TURNS}.")).to_be_in_viewport(timeout=PATIENCE)
    assert viewer.console_errors == []


IS_COVERED = "() => !!document.elementFromPoint(150, 400)?.closest('[data-testid=stSidebar]')"
IS_FREE = "() => !document.elementFromPoint(150, 400)?.closest('[data-testid=stSidebar]')"


@pytest.mark.long
def test_on_a_phone_a_choice_in_the_sidebar_closes_it(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env=FAST)
    page = new_viewer(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).page
    start(page, lulu.url, "the first story")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    leads = [
        (page.get_by_role("link", name="Inbox"), "**/inbox"),
        (page.locator(".st-key-session_list a").first, "**/session?id=*"),
    ]
    for link, address in leads:
        page.get_by_test_id("stExpandSidebarButton").click()
        page.wait_for_function(IS_COVERED, timeout=PATIENCE)
        link.tap()
        page.wait_for_url(address, timeout=PATIENCE)
        page.wait_for_function(IS_FREE, timeout=PATIENCE)

    page.reload()
    expect(page.locator(".st-key-session_header")).to_be_visible(timeout=PATIENCE)
    page.wait_for_function(IS_FREE, timeout=PATIENCE)
    expect(box(page)).not_to_be_focused()


@pytest.mark.long
def test_the_prompt_has_the_focus_where_writing_comes_next(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    start(page, lulu.url, "Give me the tour")
    expect(approve(page)).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(approve(page)).to_be_visible(timeout=PATIENCE)
    hear_keys(page)
    expect(box(page)).not_to_be_focused()
    page.keyboard.press("Alt+n")
    page.wait_for_url(f"{lulu.url}/", timeout=PATIENCE)
    expect(box(page)).to_be_focused(timeout=PATIENCE)
    # An empty box that nobody writes in keeps no key from its work.
    page.keyboard.press("Alt+i")
    page.wait_for_url("**/inbox", timeout=PATIENCE)
    search = page.get_by_role("searchbox", name="Search sessions")
    search.focus()
    page.go_back()
    expect(box(page)).to_be_visible(timeout=PATIENCE)
    expect(search).to_be_focused()


@pytest.mark.long
def test_an_outage_is_told_and_the_box_stays_usable(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    page.goto(lulu.url)
    expect(box(page)).to_be_focused(timeout=PATIENCE)
    page.keyboard.type("half a ")

    lulu.kill9()

    bar = page.get_by_role("alert").filter(has_text="Lulu is not running, or cannot be reached.")
    expect(bar).to_be_visible(timeout=PATIENCE)
    page.keyboard.type("thought")
    expect(box(page)).to_have_value("half a thought")
    expect(page.get_by_text("Streamlit")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    lulu.start()
    expect(bar).to_have_count(0, timeout=PATIENCE)
    expect(box(page)).to_have_value("half a thought")
