"""Keys that lead about, and those that belong to what is being written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lulu.ui.browser import keyboard
from tests.ui.browser.conftest import Stage

PAGE = """
<div class="st-key-new_session"><a href="#new">New</a></div>
<div class="st-key-pages"><a href="inbox">Inbox</a></div>
<div class="st-key-session_search"><input></div>
<div class="st-key-prompt"><textarea></textarea></div>
"""


@pytest.fixture
def press(stage: Stage) -> Callable[[str], None]:
    """Presses a key on a page that hears it. The page notes which links are clicked and which keys Streamlit hears."""
    stage.open(PAGE)
    stage.mount("keyboard.js", keyboard.DATA)
    stage.page.evaluate(
        """
        window.pressed = []; window.heard = [];
        addEventListener("click", (event) => { event.preventDefault(); pressed.push(event.target.textContent); });
        document.addEventListener("keydown", (event) => { heard.push(event.key); });
        """
    )
    return stage.page.keyboard.press


@pytest.mark.parametrize(("key", "link"), [(keyboard.NEW, "New"), (keyboard.INBOX, "Inbox")])
def test_a_key_presses_its_link(stage: Stage, press: Callable[[str], None], key: str, link: str) -> None:
    press(key)

    assert stage.page.evaluate("pressed") == [link]


def test_a_key_leads_from_an_empty_field_and_not_from_one_with_a_text(
    stage: Stage, press: Callable[[str], None]
) -> None:
    stage.page.locator("textarea").focus()
    press(keyboard.NEW)
    stage.page.locator("textarea").fill("A text")
    press(keyboard.NEW)

    assert stage.page.evaluate("pressed") == ["New"]
    assert stage.page.evaluate("heard.filter((key) => /^n$/i.test(key)).length") == 1


def test_the_search_is_reached_by_its_key_and_sent_by_enter(stage: Stage, press: Callable[[str], None]) -> None:
    press(keyboard.SEARCH)
    stage.page.keyboard.type(" a/b ")
    press("Enter")

    assert stage.triggers == [["text", "a/b"]]


def test_escape_leaves_the_prompt_box(stage: Stage, press: Callable[[str], None]) -> None:
    stage.page.locator("textarea").focus()

    press("Escape")

    assert stage.page.evaluate("document.activeElement.tagName") == "BODY"


def test_the_enter_of_a_conversion_reaches_nobody_else(stage: Stage, press: Callable[[str], None]) -> None:
    stage.page.locator("textarea").focus()

    stage.page.locator("textarea").dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    press("Enter")

    assert stage.page.evaluate("heard") == ["Enter"]
