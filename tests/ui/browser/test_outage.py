"""The bar that says that Lulu cannot be reached."""

from __future__ import annotations

import pytest

from tests.ui.browser.conftest import Stage

APP = '<div class="stApp" data-test-script-state="{script}" data-test-connection-state="{connection}"></div>'


LIST = '<div class="st-key-session_list"></div>'


def begin(stage: Stage, beside: str = "") -> None:
    """Open a page and let its first connection succeed."""
    stage.page.clock.install()
    stage.open(APP.format(script="notRunning", connection="CONNECTED") + beside)
    stage.load("outage.js")
    stage.page.clock.run_for(1000)


def say(stage: Stage, script: str, connection: str) -> None:
    """Set the two states that Streamlit's client has on its app."""
    stage.page.evaluate(
        "(states) => Object.assign(document.querySelector('.stApp').dataset, states)",
        {"testScriptState": script, "testConnectionState": connection},
    )


def bar_after(stage: Stage, milliseconds: int) -> str | None:
    """What the bar says after so long, ``None`` without one."""
    stage.page.clock.run_for(milliseconds)
    bar = stage.page.get_by_role("alert")
    return bar.text_content() if bar.count() else None


@pytest.mark.parametrize(("beside", "is_told"), [(LIST, True), ("", False)])
def test_only_an_owner_reads_how_to_start_lulu(stage: Stage, beside: str, *, is_told: bool) -> None:
    begin(stage, beside)
    say(stage, "notRunning", "PINGING_SERVER")

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
    begin(stage)
    say(stage, script, connection)

    at_once, later = bar_after(stage, 2000), bar_after(stage, 3000)

    assert at_once is None
    assert later is None if words is None else (later or "").startswith(words)


def test_the_bar_goes_when_lulu_is_back(stage: Stage) -> None:
    begin(stage)
    say(stage, "notRunning", "PINGING_SERVER")
    there = bar_after(stage, 5000)

    say(stage, "notRunning", "CONNECTED")

    assert there is not None
    assert bar_after(stage, 1000) is None


@pytest.mark.parametrize("body", ["", APP.format(script="notRunning", connection="INITIAL")])
def test_a_first_connection_that_takes_long_is_no_outage(stage: Stage, body: str) -> None:
    stage.page.clock.install()
    stage.open(body)
    stage.load("outage.js")

    assert bar_after(stage, 20_000) is None
