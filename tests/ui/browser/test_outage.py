"""The bar that says that Lulu cannot be reached."""

from __future__ import annotations

import pytest

from tests.ui.browser.conftest import Stage

APP = '<div class="stApp" data-test-script-state="{script}" data-test-connection-state="{connection}"></div>'


LIST = '<div class="st-key-session_list"></div>'


def bar_after(stage: Stage, milliseconds: int) -> str | None:
    """What the bar says after so long, ``None`` without one."""
    stage.load("outage.js")
    stage.page.clock.run_for(milliseconds)
    bar = stage.page.get_by_role("alert")
    return bar.text_content() if bar.count() else None


@pytest.mark.parametrize(("beside", "is_told"), [(LIST, True), ("", False)])
def test_only_an_owner_reads_how_to_start_lulu(stage: Stage, beside: str, *, is_told: bool) -> None:
    stage.page.clock.install()
    stage.open(APP.format(script="notRunning", connection="PINGING_SERVER") + beside)

    assert ("make run" in (bar_after(stage, 5000) or "")) is is_told


@pytest.mark.parametrize(
    ("script", "connection", "words"),
    [
        ("notRunning", "DISCONNECTED_FOREVER", "Lulu is not running, or cannot be reached."),
        ("rerunRequested", "CONNECTED", "Lulu does not answer."),
        ("running", "CONNECTED", None),
        ("notRunning", "CONNECTED", None),
    ],
)
def test_the_bar_says_what_is_wrong(stage: Stage, script: str, connection: str, words: str | None) -> None:
    stage.page.clock.install()
    stage.open(APP.format(script=script, connection=connection))

    at_once, later = bar_after(stage, 2000), bar_after(stage, 3000)

    assert at_once is None
    assert later is None if words is None else (later or "").startswith(words)


def test_the_bar_goes_when_lulu_is_back(stage: Stage) -> None:
    stage.page.clock.install()
    stage.open(APP.format(script="notRunning", connection="PINGING_SERVER"))
    there = bar_after(stage, 5000)

    stage.page.evaluate("document.querySelector('.stApp').dataset.testConnectionState = 'CONNECTED'")

    assert there is not None
    assert bar_after(stage, 1000) is None
