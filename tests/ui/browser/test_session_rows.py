"""The rows of the session list: changed in place, and never under the pointer."""

from __future__ import annotations

from lulu.ui.browser import keyboard
from lulu.ui.sidebar import session_rows
from tests.ui.browser.conftest import ROOT, Stage


def show(stage: Stage, *names: str, opened: str = "", asked: str = "") -> None:
    """Draw the list with these sessions, in this order."""
    row = {"hint": "", "pinned": False, "status": "running", "colour": "green", "more": "work"}
    data = {"kind": "all", "open": opened, "asked": asked, "next": keyboard.NEXT, "previous": keyboard.PREVIOUS}
    rows = [{**row, "id": name, "title": f"The {name}"} for name in names]
    stage.mount("session_rows.js", {**data, "rows": rows}, html=session_rows.HTML)


def titles(stage: Stage) -> list[str]:
    return stage.page.locator("li .text").all_text_contents()


def test_the_rows_are_those_of_the_last_run_and_the_open_one_is_marked(stage: Stage) -> None:
    show(stage, "one", "two", opened="one")

    show(stage, "three", "one", opened="one")

    assert titles(stage) == ["The three", "The one"]
    assert stage.page.locator("[aria-current]").inner_text().startswith("The one")


def test_a_click_changes_the_address_without_a_reload(stage: Stage) -> None:
    stage.page.evaluate("window.popped = 0; addEventListener('popstate', () => { popped += 1; })")
    show(stage, "one", "two", opened="one")

    stage.page.get_by_text("The two").click()

    assert stage.page.url == f"{ROOT}/session?id=two"
    assert stage.page.evaluate("popped") == 1
    assert stage.page.locator("[aria-current]").inner_text().startswith("The two")


def test_rows_keep_their_places_while_the_pointer_is_among_them(stage: Stage) -> None:
    show(stage, "one", "two")
    stage.page.get_by_text("The two").hover()

    show(stage, "two", "one")
    under_the_pointer = titles(stage)
    stage.page.mouse.move(900, 700)
    stage.page.wait_for_function("document.querySelector('li .text').textContent === 'The two'")

    assert under_the_pointer == ["The one", "The two"]
    assert titles(stage) == ["The two", "The one"]


def test_another_search_is_drawn_at_once_wherever_the_pointer_is(stage: Stage) -> None:
    show(stage, "one", "two")
    stage.page.get_by_text("The two").hover()

    show(stage, "two", asked="two")

    assert titles(stage) == ["The two"]


def test_keys_go_through_the_list(stage: Stage) -> None:
    show(stage, "one", "two", "three", opened="one")

    stage.page.keyboard.press(keyboard.NEXT)
    stage.page.keyboard.press(keyboard.NEXT)
    stage.page.keyboard.press(keyboard.PREVIOUS)

    assert stage.page.url.endswith("?id=two")
