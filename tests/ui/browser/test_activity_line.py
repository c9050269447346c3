"""The line that says what an agent does this second."""

from __future__ import annotations

import pytest

from lulu.ui.session import activity_line
from tests.ui.browser.conftest import Stage

TOLD = {"kind": "working", "words": "Working", "since": 5_000, "waited": 0, "left": None, "silent": 0, "stall": 60_000}


def line(stage: Stage, milliseconds: int = 0) -> str:
    """What the line says after so long."""
    stage.page.clock.run_for(milliseconds)
    words, clock = (stage.page.locator(name).text_content() for name in ("#part-part .words", "#part-part .clock"))
    return f"{words} {clock}"


@pytest.fixture(autouse=True)
def drawn(stage: Stage) -> None:
    stage.page.clock.install()
    stage.open()
    stage.mount("activity_line.js", {"name": "one", "isLine": True}, html=activity_line.HTML)


def tell(stage: Stage, **told: object) -> None:
    """Let another component of the page say what the line shows."""
    stage.mount("activity_line.js", {"name": "one", "told": {**TOLD, **told}}, html=activity_line.HTML, key="teller")


def test_seconds_are_counted_in_the_browser(stage: Stage) -> None:
    tell(stage)

    assert line(stage) == "Working · 5 s"
    assert line(stage, 61_000 - 6_000) == "Working · 1 min 0 s"


def test_a_silent_agent_is_said_to_be_silent_until_words_come(stage: Stage) -> None:
    tell(stage)

    silent = line(stage, 60_000)
    stage.page.evaluate("luluNow.heard('one')")

    assert silent == "No output for 1 min 0 s"
    assert line(stage, 1_000) == "Working · 1 min 6 s"


def test_a_retry_counts_down(stage: Stage) -> None:
    tell(stage, kind="retry", words="Asking the API again", left=2_500)

    assert [line(stage), line(stage, 3_000)] == ["Asking the API again in 3 s", "Asking the API again now"]


def test_a_request_is_read_aloud_and_gone_with_its_session(stage: Stage) -> None:
    tell(stage, asked="May it write?")
    said = stage.page.locator(".lulu-asked").text_content()

    stage.page.evaluate("ends.part()")
    stage.page.clock.run_for(6_000)

    assert (said, stage.page.locator(".lulu-asked").text_content()) == ("May it write?", "")


def test_a_context_that_is_nearly_full_stands_out(stage: Stage) -> None:
    tell(stage, context="81% full", share=0.81)

    assert stage.page.locator("#part-part .meter[data-full] .used").get_attribute("style") == "width: 81%;"
