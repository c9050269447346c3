"""Long sessions in a real browser: every turn is reached, the place is kept, and what runs is told where one looks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Locator, Page, expect

from lulu.model.events import Event, Result, Text, ToolResult, ToolUse, User
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import Store
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually, steady
from tests.e2e.prompts import PATIENCE, start
from tests.support import LuluServer

TURNS = 60


def filled(lulu: LuluServer, said: list[Event] | None = None) -> SessionId:
    """A long session in the file of a Lulu that does not run yet: many turns, or one in which this was said."""
    store = Store.open(lulu.database)
    launch = Launch(prompt="ask 1", working_directory=str(lulu.work_dir), agent="demo")
    session_id = store.sessions.insert(launch, status=SessionStatus.COMPLETED)
    store.events.append(
        session_id, said if said is not None else [event for n in range(1, TURNS + 1) for event in turn(n)]
    )
    store.close()
    return session_id


def turn(number: int) -> list[Event]:
    return [
        User(text=f"ask {number}."),
        ToolUse(id=f"t{number}", name="Bash", input={"command": f"step {number}"}),
        ToolResult(tool_use_id=f"t{number}", content=f"output {number}\n" * 5),
        Text(content=f"answer {number}."),
        Result(duration_ms=1000, cost_usd=0.01),
    ]


#: How far the page is scrolled.
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
#: Notes how often a transcript is drawn without what stands above its last part.
COUNT_HALVES = """() => {
  window.halves = 0;
  let was = false;
  new MutationObserver(() => {
    const is = document.querySelector(".st-key-bell_earlier") !== null;
    if (is && !was) window.halves += 1;
    was = is;
  }).observe(document.body, { childList: true, subtree: true });
}"""


def at(page: Page, text: str) -> Locator:
    return page.locator(".st-key-transcript").get_by_text(text, exact=True)


def height_of(found: Locator) -> float:
    box = found.bounding_box()
    return box["y"] if box else -9999.0


def stays(page: Page, found: Locator, before: float) -> None:
    """It stands where it stood, now and when the page has come to rest."""
    page_eventually(page, lambda: abs(height_of(found) - before) <= 3)
    assert abs(steady(page, lambda: height_of(found)) - before) <= 3


def wheel_to_top(page: Page) -> None:
    # What stands above the last part comes right after it.
    page.locator(".st-key-load_earlier button").wait_for(state="attached", timeout=PATIENCE)
    page.mouse.move(640, 400)
    page.mouse.wheel(0, -100_000)
    page_eventually(page, lambda: page.evaluate(SCROLLED) == 0)


def wheel_by(page: Page, pixels: int) -> None:
    """Turn the wheel from the top, and wait until the page has come to rest and has kept its place."""
    page.mouse.wheel(0, pixels)
    page.wait_for_function(f"() => {SCROLLED} > 0", timeout=PATIENCE)
    page.wait_for_function("() => Object.keys(sessionStorage).some((key) => key.startsWith('lulu-read:'))")
    steady(page, lambda: page.evaluate(f"[{SCROLLED}, JSON.stringify(sessionStorage)]"))


def open_turns(page: Page) -> Locator:
    page.get_by_role("button", name="Turns").click()
    rows = page.locator(".st-key-turns a")
    expect(rows).to_have_count(TURNS, timeout=PATIENCE)
    return rows


@pytest.mark.long
def test_every_turn_is_reached_and_the_place_is_kept(server: NewServer, viewer: Viewer) -> None:
    lulu, page = server(start=False), viewer.page
    session_id = filled(lulu)
    lulu.start()
    viewer.sign_in(lulu)
    page.goto(f"{lulu.url}/session?id={session_id}")
    expect(at(page, f"answer {TURNS}.")).to_be_in_viewport(timeout=PATIENCE)

    # What is loaded above does not move what is read.
    wheel_to_top(page)
    first = at(page, "answer 53.")
    before = steady(page, partial(height_of, first))
    page.locator(".st-key-load_earlier button").click()
    expect(at(page, "answer 45.")).to_be_attached(timeout=PATIENCE)
    stays(page, first, before)

    # Nor does all that its tools said, above and below.
    first = at(page, "ask 53.")
    rows = open_turns(page)
    before = steady(page, partial(height_of, first))
    page.get_by_text("Open all tool output").click()
    expect(page.get_by_text("output 46").first).to_be_attached(timeout=PATIENCE)
    stays(page, first, before)
    page.get_by_text("Open all tool output").click()
    expect(page.get_by_text("output 46")).to_have_count(0, timeout=PATIENCE)

    # A turn on the page is gone to there; another one by its address.
    address = page.url
    rows.nth(49).click()
    expect(at(page, "ask 50.")).to_be_in_viewport()
    assert page.url == address
    rows.nth(1).click()
    expect(at(page, "answer 2.")).to_be_in_viewport(timeout=PATIENCE)
    page.wait_for_url("**event=*")
    page.reload()
    expect(at(page, "answer 2.")).to_be_in_viewport(timeout=PATIENCE)
    assert viewer.console_errors == []

    # Enter in the sidebar goes from titles to everything.
    field = page.locator(".st-key-session_search input")
    field.fill("answer 33")
    field.press("Enter")
    page.wait_for_url("**/search?q=answer*33*", timeout=PATIENCE)
    expect(page.locator(".st-key-search_results").get_by_text("answer 33").first).to_be_visible(timeout=PATIENCE)


@pytest.mark.long
def test_a_restart_keeps_the_place_also_where_it_is_drawn_later(
    server: NewServer, new_viewer: Callable[..., Viewer]
) -> None:
    lulu = server(start=False)
    sessions = [filled(lulu), filled(lulu, [Text(content=f"answer {number}.") for number in range(1, TURNS + 1)])]
    lulu.start()
    readers = []
    for session_id in sessions:
        viewer = new_viewer(viewport={"width": 1280, "height": 500})
        viewer.sign_in(lulu)
        page = viewer.page
        page.goto(f"{lulu.url}/session?id={session_id}")
        expect(at(page, f"answer {TURNS}.")).to_be_in_viewport(timeout=PATIENCE)
        wheel_to_top(page)
        wheel_by(page, 200)
        read = in_view(page)
        # Drawn anew after the restart: first the last part, then what is read here.
        page.evaluate(COUNT_HALVES)
        readers.append((page, read, height_of(read)))

    lulu.restart()

    for page, read, before in readers:
        page.wait_for_function("() => window.halves > 0", timeout=PATIENCE)
        expect(read).to_be_attached(timeout=PATIENCE)
        stays(page, read, before)


def in_view(page: Page) -> Locator:
    """An answer in the middle of the window."""
    answers = page.locator(".st-key-transcript").get_by_text(re.compile(r"^answer \d+\.$"))
    tops = [height_of(answer) for answer in answers.all()]
    return at(page, answers.nth(next(n for n, top in enumerate(tops) if top > 150)).inner_text())


def test_what_runs_is_told_in_the_session_and_on_home(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env={"LULU_AGENT": "demo", "LULU_DEMO_SPEED": "10"})
    one, other = new_viewer().page, new_viewer().page
    start(one, lulu.url, "Give me the tour")

    expect(one.locator("[class*='st-key-approve_'] button")).to_be_visible(timeout=PATIENCE)
    now = one.locator("[class*='st-key-now_line_']")
    expect(now.get_by_role("status")).to_have_text("Waits for you")
    expect(now).to_contain_text("Context")
    told = now.inner_text()
    expect(now).not_to_have_text(told)

    other.goto(lulu.url)
    card = other.locator("[class*='st-key-card_']").first
    expect(card.get_by_role("status")).to_have_text("Waits for you", timeout=PATIENCE)
    card.get_by_role("button", name="Approve").click()
    expect(card.get_by_role("status")).not_to_have_text("Waits for you", timeout=PATIENCE)
    expect(now.get_by_role("status")).not_to_have_text("Waits for you", timeout=PATIENCE)
