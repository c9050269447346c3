"""While somebody writes in a field, a key that may write a character does nothing else, on any keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import NewServer
from tests.e2e.edge.driver import at_rest
from tests.e2e.prompts import PATIENCE, box, hear_keys, start, status
from tests.e2e.test_cockpit import FAST, approve
from tests.e2e.test_unsent import sent
from tests.tiers import keep_short

#: Keys that write on some keyboard: Option on a Mac, AltGr, a dead key, an input method; and a plain Alt beside a text.
WRITTEN: dict[str, dict[str, Any]] = {
    "Option+X, Polish": {"key": "ź", "code": "KeyX", "altKey": True},
    "Option+Y, US": {"key": "¥", "code": "KeyY", "altKey": True},
    "Option+N, dead tilde": {"key": "Dead", "code": "KeyN", "altKey": True},
    "Option+I, dead circumflex": {"key": "Dead", "code": "KeyI", "altKey": True},
    "Option+J, US": {"key": "∆", "code": "KeyJ", "altKey": True},
    "Option+Q, German": {"key": "«", "code": "KeyQ", "altKey": True},
    "AltGr+X, Polish on Windows": {
        "key": "ź",
        "code": "KeyX",
        "altKey": True,
        "ctrlKey": True,
        "modifierAltGraph": True,
    },
    "AltGr+Y": {"key": "y", "code": "KeyY", "altKey": True, "modifierAltGraph": True},
    "input method": {"key": "Process", "code": "KeyX", "altKey": True, "keyCode": 229},
    "Alt+N beside a text": {"key": "n", "code": "KeyN", "altKey": True},
    "Alt+Y beside a text": {"key": "y", "code": "KeyY", "altKey": True},
    "Alt+X on another layout": {"key": "x", "code": "KeyB", "altKey": True},
}

PRESS = """(field, key) => {
  const event = (type) => new KeyboardEvent(type, { bubbles: true, composed: true, cancelable: true,
    keyCode: (key.code ?? "").startsWith("Key") ? key.code.charCodeAt(3) : 13, ...key });
  field.focus();
  return [field.dispatchEvent(event("keydown")), field.dispatchEvent(event("keyup"))][0];
}"""


@pytest.mark.long
def test_writing_decides_nothing_and_leads_nowhere(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    address = start(page, lulu.url, "Give me the tour")
    expect(approve(page)).to_be_visible(timeout=PATIENCE)
    search = page.get_by_role("searchbox", name="Search sessions")
    page.locator("[class*='st-key-deny_more_'] button").first.click()
    reason = page.locator("[class*='st-key-reason_'] input").first
    for field in (box(page), search, reason):
        field.fill("ma")
        for name, key in WRITTEN.items():
            is_written = field.evaluate(PRESS, key)
            assert is_written, f"{name} writes nothing"
        field.fill("")
        for name in ("Option+X, Polish", "Option+Y, US", "Option+N, dead tilde", "Alt+Y beside a text"):
            assert field.evaluate(PRESS, WRITTEN[name]), f"{name} writes nothing"

    hear_keys(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Alt+i")
    page.wait_for_url("**/inbox", timeout=PATIENCE)
    page.goto(address)
    expect(approve(page)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("denied")).to_have_count(0)
    hear_keys(page)
    at_rest(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Alt+x")
    expect(page.get_by_text("denied").first).to_be_visible(timeout=PATIENCE)


CONVERSIONS = keep_short(1, {"isComposing": True, "keyCode": 229}, {"keyCode": 229}, {"isComposing": True})


@pytest.mark.parametrize("conversion", CONVERSIONS)
def test_enter_of_a_conversion_sends_nothing(server: NewServer, page: Page, conversion: dict[str, Any]) -> None:
    lulu = server(env=FAST)
    enter = {"key": "Enter", "code": "Enter", **conversion}
    page.goto(lulu.url)
    box(page).fill("日本語の文", timeout=PATIENCE)
    box(page).evaluate(PRESS, enter)
    search = page.get_by_role("searchbox", name="Search sessions")
    search.fill("日本語の文")
    search.evaluate(PRESS, enter)
    expect(box(page)).to_have_value("日本語の文")
    assert page.url == f"{lulu.url}/"

    box(page).press("Enter")
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)
    expect(status(page, "completed").or_(approve(page)).first).to_be_visible(timeout=PATIENCE)
    box(page).fill("日本語")
    box(page).evaluate(PRESS, enter)
    page.reload()
    expect(box(page)).to_have_value("日本語", timeout=PATIENCE)
    expect(sent(page, "日本語")).to_have_count(0)


@pytest.mark.long
def test_escape_leaves_the_box_and_keys_lead_about_again(server: NewServer, page: Page) -> None:
    lulu = server(env=FAST)
    start(page, lulu.url, "the first story")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    box(page).fill("half a thought")
    hear_keys(page)
    page.keyboard.press("Escape")
    expect(box(page)).not_to_be_focused()

    page.keyboard.press("Alt+n")

    page.wait_for_url(f"{lulu.url}/", timeout=PATIENCE)
    page.go_back()
    expect(box(page)).to_have_value("half a thought", timeout=PATIENCE)
