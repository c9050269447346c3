"""The session list in a real browser: who waits is repeated above it, and nothing moves under the pointer or focus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from lulu.model.sessions import Launch, SessionStatus
from lulu.store import Store
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually
from tests.e2e.prompts import PATIENCE, box, hear_keys, send
from tests.support import LuluServer
from tests.tiers import keep_short

FAST = {"LULU_AGENT": "demo", "LULU_DEMO_SPEED": "20"}
#: Sessions that are there before: the one that is made last stands first.
NAMES = [f"session {number}" for number in range(12)]
OLDEST, LAST = NAMES[0], NAMES[-1]


@pytest.fixture
def lulu(server: NewServer, tmp_path: Path) -> LuluServer:
    made = server(env=FAST, start=False)
    store = Store.open(made.database)
    for name in NAMES:
        launch = Launch(prompt="p", title=name, working_directory=str(made.work_dir), agent="demo")
        store.sessions.insert(launch, status=SessionStatus.COMPLETED)
    store.close()
    made.start()
    return made


def titles(page: Page) -> list[str]:
    return page.locator(".st-key-session_list li .text").all_inner_texts()


def row(page: Page, name: str) -> Locator:
    return page.locator(".st-key-session_list li").filter(has_text=name).locator("a")


def needs_you(page: Page) -> Locator:
    return page.locator(".st-key-needs_you")


def places(page: Page) -> dict[str, float]:
    """The height at which each row stands, whatever its status."""
    found = page.locator(".st-key-session_list li")
    return dict(
        found.evaluate_all("rows => rows.map(r => [r.querySelector('.text').textContent, r.getBoundingClientRect().y])")
    )


def open_list(page: Page, lulu: LuluServer) -> None:
    page.goto(lulu.url)
    expect(row(page, OLDEST)).to_be_visible(timeout=PATIENCE)
    page_eventually(page, lambda: titles(page) == NAMES[::-1])


def let_wait(page: Page, lulu: LuluServer, name: str) -> None:
    """Elsewhere, somebody goes on with this session, and its agent asks a question."""
    if page.url == "about:blank":
        page.goto(lulu.url)
    row(page, name).click(timeout=PATIENCE)
    expect(page.locator(".st-key-session_header")).to_contain_text(name, timeout=PATIENCE)
    send(page, "Ask me a question.")
    expect(page.locator(".st-key-session_header").get_by_text("waiting")).to_be_visible(timeout=PATIENCE)


@pytest.mark.long
def test_who_waits_is_repeated_above_the_list(lulu: LuluServer, new_viewer: Callable[..., Viewer]) -> None:
    one, other = new_viewer(), new_viewer()
    open_list(one.page, lulu)
    expect(needs_you(one.page)).not_to_contain_text("Needs you")

    let_wait(other.page, lulu, OLDEST)
    let_wait(other.page, lulu, NAMES[3])

    expect(needs_you(one.page)).to_contain_text("Needs you (2)", timeout=PATIENCE)
    expect(needs_you(one.page).locator("li .text")).to_have_text([OLDEST, NAMES[3]], timeout=PATIENCE)
    rest = [name for name in NAMES[::-1] if name not in (OLDEST, NAMES[3])]
    page_eventually(one.page, lambda: titles(one.page) == [NAMES[3], OLDEST, *rest])
    needs_you(one.page).locator("a").first.click()
    expect(one.page.locator(".st-key-session_header")).to_contain_text(OLDEST, timeout=PATIENCE)
    assert one.console_errors == []


@pytest.mark.parametrize("way", ["pointer", "focus"])
@pytest.mark.long
def test_nothing_moves_under_pointer_or_focus(lulu: LuluServer, new_viewer: Callable[..., Viewer], way: str) -> None:
    one, other = new_viewer(viewport={"width": 1280, "height": 900}), new_viewer()
    open_list(one.page, lulu)
    aimed = NAMES[6]
    if way == "pointer":
        row(one.page, aimed).hover()
    else:
        row(one.page, NAMES[7]).focus()
        one.page.keyboard.press("Tab")
    before = places(one.page)

    let_wait(other.page, lulu, OLDEST)
    expect(row(one.page, OLDEST)).to_contain_text("waiting", timeout=PATIENCE)
    expect(one.page).to_have_title("(1) New session · Lulu", timeout=PATIENCE)

    assert places(one.page) == before
    expect(needs_you(one.page).locator("li")).to_have_count(0)
    if way == "pointer":
        # Where the row stood when it was aimed at.
        one.page.mouse.down()
        one.page.mouse.up()
    else:
        one.page.keyboard.press("Enter")
    expect(one.page.locator(".st-key-session_header")).to_contain_text(aimed, timeout=PATIENCE)
    if way == "pointer":
        # The focus is where one writes next by now, the pointer where it was.
        page_eventually(one.page, lambda: places(one.page) == before)
    one.page.mouse.move(900, 400)
    box(one.page).focus()
    expect(needs_you(one.page)).to_contain_text("Needs you (1)", timeout=PATIENCE)
    page_eventually(one.page, lambda: titles(one.page) == [OLDEST, *NAMES[:0:-1]])


def test_what_somebody_looks_for_is_there_at_once(lulu: LuluServer, page: Page) -> None:
    open_list(page, lulu)
    row(page, NAMES[6]).hover()
    hear_keys(page)

    # On this page the prompt has the focus: there a slash is a slash.
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("session 4")

    expect(page.locator(".st-key-session_list li .text")).to_have_text(["session 4"], timeout=PATIENCE)


@pytest.mark.parametrize("path", keep_short(1, "session/foo", "nowhere", "mysession", "Inbox", "no%20where", "a/b/c"))
def test_an_address_that_leads_nowhere_says_so(server: NewServer, page: Page, path: str) -> None:
    lulu = server(env=FAST)

    page.goto(f"{lulu.url}/{path}")

    expect(page.get_by_role("heading", name="No such page")).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_title("No such page · Lulu")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Go to the start").click()
    expect(box(page)).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_title("New session · Lulu")
