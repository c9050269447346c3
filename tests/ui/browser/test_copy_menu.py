"""The forms in which a text is copied."""

from __future__ import annotations

from lulu.ui.transcript import copy_menu
from tests.ui.browser.conftest import ROOT, Stage

FORMS = {"Text": "plain", "Markdown": "**bold**"}


def test_a_form_is_copied_and_its_button_says_so(stage: Stage) -> None:
    stage.page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    stage.mount("copy_menu.js", {"forms": FORMS, "link": "?id=one&event=7"}, html=copy_menu.HTML)

    stage.page.get_by_role("button", name="Markdown").click()

    stage.page.get_by_role("button", name="Copied").wait_for()
    assert stage.page.evaluate("copied") == "**bold**"


def test_the_link_leads_to_the_event(stage: Stage) -> None:
    stage.page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    stage.mount("copy_menu.js", {"forms": FORMS, "link": "?id=one&event=7"}, html=copy_menu.HTML)

    stage.page.get_by_role("button", name="Link").click()

    stage.page.get_by_role("button", name="Copied").wait_for()
    assert stage.page.evaluate("copied") == f"{ROOT}/session?id=one&event=7"
