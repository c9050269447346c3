"""What is typed stays in the browser until the store has it."""

from __future__ import annotations

import pytest

from lulu.ui.browser import unsent
from tests.ui.browser.conftest import Stage

PAGE = """
<div class="stApp" data-test-script-state="notRunning" data-test-connection-state="CONNECTED">
<div data-testid="stMain"><div class="st-key-box_one"><div class="st-key-prompt"><div data-testid="stChatInput">
<textarea></textarea><button data-testid="stChatInputSubmitButton">Send</button>
</div></div></div>
<div class="st-key-reason_7"><input id="reason"></div></div></div>
"""
#: As Streamlit's client does with what is sent.
SENDS = """
document.querySelector("textarea").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  event.target.value = "";
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
});
"""


def box(stage: Stage) -> str:
    return stage.page.locator("textarea").input_value()


def come(stage: Stage) -> None:
    """Open the page of session one, whose prompt box is empty."""
    stage.open(PAGE)
    stage.page.evaluate(SENDS)
    tell(stage)


def tell(stage: Stage, *prompts: tuple[int, str, str], put: int = 0) -> None:
    """Say which prompts the store has: their ids, where they were typed and what they say."""
    sent = [[number, place, unsent.mark(text)] for number, place, text in prompts]
    last = max((number for number, _, _ in prompts), default=0)
    stage.mount("unsent.js", {"home": unsent.HOME_BOX, "last": last, "sent": sent, "put": put, "run": 0})
    stage.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


@pytest.fixture(autouse=True)
def opened(stage: Stage) -> None:
    come(stage)


def test_a_text_is_there_again_after_a_reload(stage: Stage) -> None:
    stage.page.locator("textarea").fill("Half a tho")

    come(stage)

    assert box(stage) == "Half a tho"


@pytest.mark.parametrize("text", ["Go on", "Zażółć 🗼\nund weiter"])
def test_a_prompt_stays_until_the_store_has_it(stage: Stage, text: str) -> None:
    stage.page.locator("textarea").fill(text)
    stage.page.keyboard.press("Enter")
    stage.page.wait_for_function("document.querySelector('textarea').hasAttribute('data-sending')")
    sending = box(stage)

    tell(stage, (5, "one", "Another"))
    of_another = box(stage)
    tell(stage, (5, "one", "Another"), (6, "one", text))

    assert (sending, of_another, box(stage)) == (text, text, "")
    assert stage.page.evaluate("Object.keys(localStorage)") == []


def test_what_was_typed_behind_a_prompt_stays(stage: Stage) -> None:
    stage.page.locator("textarea").fill("First")
    stage.page.keyboard.press("Enter")
    stage.page.wait_for_function("document.querySelector('textarea').hasAttribute('data-sending')")

    stage.page.locator("textarea").press_sequentially("Second")
    tell(stage, (5, "one", "First"))

    assert box(stage) == "Second"


def test_a_prompt_is_not_sent_twice_while_it_is_on_its_way(stage: Stage) -> None:
    stage.page.evaluate("window.sent = 0; addEventListener('keydown', (e) => { sent += e.key === 'Enter'; })")
    stage.page.locator("textarea").fill("Go on")
    stage.page.keyboard.press("Enter")
    stage.page.wait_for_function("document.querySelector('textarea').hasAttribute('data-sending')")

    stage.page.keyboard.press("Enter")

    assert stage.page.evaluate("sent") == 1


def test_a_reason_that_was_begun_is_there_again(stage: Stage) -> None:
    stage.page.locator("#reason").fill("Because")

    come(stage)

    assert stage.page.locator("#reason").input_value() == "Because"


def test_nothing_stays_for_who_is_let_in_no_longer(stage: Stage) -> None:
    stage.page.locator("textarea").fill("A secret")
    stage.page.locator("#reason").fill("Another")

    stage.page.evaluate("luluUnsent.forget()")

    assert stage.page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]") == ["lulu-tab"]
