"""Tests of scroll.js: the page follows new text at its end, and stays in place anywhere else."""

from __future__ import annotations

import pytest

from lulu.ui.browser import page_head, scroll
from tests.ui.browser.conftest import Stage

PAGE = f"""
{page_head.STYLE}<style>html {{ opacity: 1 }} [data-testid] {{ opacity: 1 !important }}</style>
<div class="stApp" data-test-script-state="notRunning"></div>
<div data-testid="stMain" style="height: 600px; overflow: auto"><div data-testid="stMainBlockContainer">
<div class="st-key-transcript"></div></div></div>
"""
TOP = "document.querySelector('[data-testid=stMain]').scrollTop"
#: How far the end is below what is in view.
LEFT = "(() => { const m = document.querySelector('[data-testid=stMain]'); "
LEFT += "return m.scrollHeight - m.clientHeight - m.scrollTop; })()"
_ADD = """
([name, height, where]) => document.querySelector(".st-key-transcript").insertAdjacentHTML(
  where, `<div class="st-key-at_${name}" style="height: ${height}px">Turn ${name}</div>`)
"""


def add(stage: Stage, name: str, height: int = 400, where: str = "beforeend") -> None:
    """Put one more turn on the page, and give the browser a frame to hear of it."""
    stage.page.evaluate(_ADD, [name, height, where])
    frames(stage)


def frames(stage: Stage) -> None:
    stage.page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
    )


def draw(stage: Stage, newest: str) -> None:
    stage.mount("scroll.js", {"session": "one", "newest": newest}, html=scroll.HTML)


def scroll_up(stage: Stage, pixels: int) -> None:
    stage.page.mouse.move(300, 300)
    before = stage.page.evaluate(TOP)
    stage.page.mouse.wheel(0, -pixels)
    stage.page.wait_for_function(f"{TOP} <= {before - pixels}")
    frames(stage)


@pytest.fixture(autouse=True)
def read(stage: Stage) -> None:
    """A transcript of ten turns, drawn."""
    stage.open(PAGE)
    for number in range(10):
        add(stage, str(number))
    draw(stage, "10")


def test_reading_begins_at_the_end_and_follows_it(stage: Stage) -> None:
    before = stage.page.evaluate(LEFT)

    add(stage, "new")

    assert (before, stage.page.evaluate(LEFT)) == (0, 0)


def test_who_scrolled_up_stays_there_and_is_told_what_is_new(stage: Stage) -> None:
    scroll_up(stage, 500)
    top = stage.page.evaluate(TOP)

    add(stage, "new")
    draw(stage, "11")

    assert stage.page.evaluate(TOP) == top
    assert stage.page.get_by_role("button", name="New messages").is_visible()


def test_the_button_leads_to_the_end_and_the_page_follows_again(stage: Stage) -> None:
    scroll_up(stage, 500)
    add(stage, "new")
    draw(stage, "11")

    stage.page.get_by_role("button", name="New messages").click()
    add(stage, "newer")

    assert stage.page.evaluate(LEFT) == 0
    assert not stage.page.get_by_role("button", name="New messages").is_visible()


def test_what_comes_above_moves_nothing_that_is_read(stage: Stage) -> None:
    scroll_up(stage, 700)
    before = stage.page.locator(".st-key-at_8").bounding_box()

    add(stage, "earlier", 900, "afterbegin")

    assert stage.page.locator(".st-key-at_8").bounding_box() == before


def test_back_comes_back_to_the_place_by_its_event(stage: Stage) -> None:
    scroll_up(stage, 1000)
    before = stage.page.locator(".st-key-at_6").bounding_box()
    stage.page.wait_for_function("sessionStorage.getItem('lulu-read:one') !== null")

    stage.page.reload()
    stage.loaded.clear()
    for number in range(10):
        add(stage, str(number))
    draw(stage, "10")
    frames(stage)

    assert stage.page.locator(".st-key-at_6").bounding_box() == before


def test_a_heading_is_at_most_one_level_below_the_one_before_it(stage: Stage) -> None:
    stage.page.evaluate("document.querySelector('.st-key-transcript').innerHTML += '<h2>One</h2><h5>Two</h5>'")
    frames(stage)

    assert stage.page.evaluate("[...document.querySelectorAll('h2, h5')].map((one) => one.ariaLevel)") == ["2", "3"]
