"""The address of the window is that of the session that it shows."""

from __future__ import annotations

from tests.ui.browser.conftest import ROOT, Stage


def show(stage: Stage, session_id: str, event: str | None = None) -> None:
    stage.mount("address_bar.js", {"id": session_id, "event": event})


def test_the_address_becomes_that_of_the_session_that_is_drawn(stage: Stage) -> None:
    show(stage, "two", "7")

    assert stage.page.url == f"{ROOT}/session?event=7&id=two"
    assert stage.page.evaluate("history.length") == 3


def test_an_address_that_the_client_writes_late_is_put_right_without_a_new_entry(stage: Stage) -> None:
    stage.page.clock.install()
    stage.open()
    show(stage, "two")
    before = stage.page.evaluate("history.length")

    stage.page.evaluate("history.replaceState({}, '', '/session?id=one')")
    stage.page.clock.run_for(1000)

    assert stage.page.url.endswith("?id=two")
    assert stage.page.evaluate("history.length") == before


def test_a_page_drawn_for_the_place_before_does_not_take_a_click_back(stage: Stage) -> None:
    show(stage, "one")

    stage.page.evaluate(
        "history.pushState({}, '', '/session?id=two'); dispatchEvent(new PopStateEvent('popstate', { state: {} }))"
    )
    show(stage, "one")

    assert stage.page.url.endswith("?id=two")


def test_another_page_keeps_its_address(stage: Stage) -> None:
    stage.open(path="/inbox")

    show(stage, "one")

    assert stage.page.url == f"{ROOT}/inbox"
