"""What reaches a person who does not look at the page, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.tiers import scale

PATIENCE = 60_000

#: The window is never in front, and what would pop up is written down; a reload keeps that.
AWAY = """
document.hasFocus = () => false;
const Real = window.Notification;
window.Notification = class extends Real {
  constructor(title, options) {
    super(title, options);
    const told = JSON.parse(sessionStorage.getItem("told") ?? "[]");
    sessionStorage.setItem("told", JSON.stringify([...told, `${title} ${options.body}`]));
  }
};
"""


def start(page: Page, url: str, prompt: str) -> None:
    page.goto(url)
    # What is there when the tab opens is no news.
    page.wait_for_function("() => window.luluSignals?.begun", timeout=PATIENCE)
    box = page.locator(".st-key-prompt textarea")
    box.fill(prompt, timeout=PATIENCE)
    box.press("Enter")
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)


def told(page: Page) -> list[str]:
    found: list[str] = page.evaluate("JSON.parse(sessionStorage.getItem('told') ?? '[]')")
    return found


def settled(page: Page) -> None:
    """Wait until the part that tells knows that the session has ended: the header may be drawn before it."""
    page.wait_for_function("() => [...luluSignals.known.values()].join() === 'completed'", timeout=PATIENCE)


#: What is asked of the agent, and what is told of its session. The first one waits all the time.
_ALL = [("Give me the tour", "waits for you"), ("Crash, please.", "failed"), ("Tell me a story", "is done")]
SIGNALS = scale(short=[_ALL[0], _ALL[-1]], long=_ALL)


@pytest.mark.scaled
def test_each_session_that_waits_ends_or_fails_is_told_once(
    server: NewServer, new_viewer: Callable[..., Viewer]
) -> None:
    lulu = server(env={"LULU_AGENT": "demo", "LULU_DEMO_SPEED": "20"})
    viewer = new_viewer(permissions=["notifications"])
    page = viewer.page
    page.add_init_script(AWAY)
    header = page.locator(".st-key-session_header")
    question = page.get_by_text("Get a notification when a session needs you")

    start(page, lulu.url, "Tell me a story before anybody said yes")
    expect(header.get_by_text("completed")).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_title("Tell me a story before anybody said yes", timeout=PATIENCE)
    settled(page)
    page.get_by_role("button", name="Allow").click()
    expect(question).to_be_hidden(timeout=PATIENCE)
    assert told(page) == []

    expected = []
    for prompt, words in SIGNALS:
        start(page, lulu.url, prompt)
        expect(page).to_have_title(f"(1) {prompt} {words}", timeout=PATIENCE)
        expected.append(f"{prompt} {words}")
        assert told(page) == expected

    page.reload()
    expect(page).to_have_title(f"(1) {SIGNALS[-1][0]}", timeout=PATIENCE)
    expect(question).to_be_hidden()
    assert told(page) == expected
    assert viewer.console_errors == []
