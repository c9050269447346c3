"""The tab's title, and notifications of the browser."""

from __future__ import annotations

import pytest

from lulu.model.sessions import SessionStatus
from lulu.ui.browser import notifications
from tests.ui.browser.conftest import Stage

#: A browser that grants what it is asked for, in a window that nobody looks at; notes what it is asked for and shows.
BROWSER = """
window.asked = 0;
window.notes = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { asked += 1; return (Notification.permission = "granted"); }
  constructor(title, { body }) { notes.push(`${title}: ${body}`); }
};
document.hasFocus = () => false;
"""


@pytest.fixture(autouse=True)
def browser_with_notifications(stage: Stage) -> None:
    stage.page.add_init_script(BROWSER)
    stage.open(path="/home")


def tell(stage: Stage, **statuses: SessionStatus) -> None:
    """Draw the component with sessions that stand so."""
    told = [{"id": id, "status": status, "title": id, "words": f"is {status}"} for id, status in statuses.items()]
    waiting = list(statuses.values()).count(SessionStatus.WAITING)
    stage.mount(
        "notifications.js",
        {"sessions": told, "waiting": waiting, "started": "one", "open": None},
        html=notifications.HTML,
    )


def test_the_title_says_how_many_wait(stage: Stage) -> None:
    tell(stage, one=SessionStatus.WAITING, two=SessionStatus.WAITING, three=SessionStatus.RUNNING)

    assert stage.page.title() == "(2) Lulu"


def test_what_waits_elsewhere_is_read_aloud_when_it_begins_to(stage: Stage) -> None:
    tell(stage, one=SessionStatus.RUNNING)
    before = stage.page.locator(".lulu-said").text_content()

    tell(stage, one=SessionStatus.WAITING)

    assert (before, stage.page.locator(".lulu-said").text_content()) == ("", "one is waiting.")


def test_notifications_are_off_until_somebody_turns_them_on(stage: Stage) -> None:
    tell(stage, one=SessionStatus.RUNNING)
    tell(stage, one=SessionStatus.WAITING)
    unasked = stage.page.evaluate("[asked, notes, document.title]")

    stage.page.get_by_role("button", name="Allow", exact=True).click()
    stage.page.wait_for_function("asked === 1")
    tell(stage, one=SessionStatus.COMPLETED)

    assert unasked == [0, [], "(1) Lulu"]
    assert stage.page.evaluate("[asked, notes]") == [1, ["one: is completed"]]
    assert stage.page.title() == "one is completed · Lulu"


def test_who_says_no_is_not_asked_again(stage: Stage) -> None:
    tell(stage, one=SessionStatus.RUNNING)
    stage.page.get_by_role("button", name="Not now", exact=True).click()

    stage.open(path="/home")
    tell(stage, one=SessionStatus.RUNNING)

    assert not stage.page.locator(".ask").is_visible()
    assert stage.page.evaluate("asked") == 0
