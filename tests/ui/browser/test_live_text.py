"""The words that come between two runs of a page."""

from __future__ import annotations

import pytest

from tests.ui.browser.conftest import Stage

PAGE = """
<div class="st-key-transcript"><div class="st-key-live_text"><div class="stElementContainer">
<div data-testid="stMarkdown"><div data-testid="stMarkdownContainer" class="drawn"></div></div></div></div></div>
"""
#: A hub without a socket: the test is the server.
HUB = "window.luluHub = { last: () => undefined, join: (key, member) => { window.member = member; }, leave: () => {} };"
FLOW = '<div class="lulu-flow"></div>'


def run(stage: Stage, *, number: int, drawn: str = "", text: str = "", upto: int = 0) -> None:
    """Let a run draw the beginning of a text that is being written."""
    stage.page.evaluate(
        "(html) => { document.querySelector('.drawn').innerHTML = html; }", f"<p>{drawn}</p>" * bool(drawn)
    )
    shown = len(drawn) + 2 if drawn else 0
    writing = {"from": 0, "text": text, "finished": shown} if text else None
    data = {"session": "one", "topic": "text:one", "number": number, "upto": upto, "shown": shown, "latest": 4}
    seam = f"{drawn}\n\n"[-40:] if drawn else ""
    stage.mount("live_text.js", {**data, "seam": seam, "writing": writing}, html=FLOW, into=".st-key-live_text")


def words(stage: Stage, number: int, text: str, *, latest: list[dict[str, object]] | None = None) -> None:
    """Let words come over the socket."""
    writing = {"from": 0, "text": text, "finished": 0} if text else None
    stage.page.evaluate("(words) => member.text(words)", {"number": number, "latest": latest or [], "writing": writing})


def flow(stage: Stage) -> str:
    return stage.page.locator(".lulu-flow").inner_text()


@pytest.fixture(autouse=True)
def opened(stage: Stage) -> None:
    stage.open(PAGE)
    stage.page.evaluate(HUB)


def test_words_are_drawn_as_they_come(stage: Stage) -> None:
    run(stage, number=1, text="The light")

    words(stage, 2, "The **lighthouse** keeper")

    assert flow(stage) == "The lighthouse keeper"
    assert stage.page.locator(".lulu-flow strong").inner_text() == "lighthouse"


def test_what_a_run_draws_is_not_shown_twice(stage: Stage) -> None:
    run(stage, number=1, text="One paragraph.\n\nAnother")

    run(stage, number=2, drawn="One paragraph.", text="One paragraph.\n\nAnother")

    assert flow(stage) == "Another"


def test_words_that_are_late_change_nothing(stage: Stage) -> None:
    run(stage, number=3, text="The lighthouse keeper")

    words(stage, 2, "The light")

    assert flow(stage) == "The lighthouse keeper"


def test_a_finished_text_stays_until_a_run_has_drawn_it(stage: Stage) -> None:
    run(stage, number=1, text="The light")
    words(stage, 2, "", latest=[{"id": 7, "from": 0, "text": "The lighthouse.", "finished": 15}])
    before = flow(stage)

    run(stage, number=2, upto=7)

    assert (before, flow(stage)) == ("The lighthouse.", "")


def test_nothing_is_shown_beyond_what_only_a_run_can_draw(stage: Stage) -> None:
    run(stage, number=1, text="The light")

    words(stage, 2, "After the call", latest=[{"id": 7, "from": 0, "text": "The light.", "finished": 10}, {"id": 8}])

    assert flow(stage) == "The light."


def test_no_text_becomes_html(stage: Stage) -> None:
    run(stage, number=1, text="<img src=x onerror=alert(1)> [a](https://example.org) &lt;b&gt;")

    assert flow(stage) == "<img src=x onerror=alert(1)> a <b>"
    assert stage.page.locator(".lulu-flow :is(img, b, [href])").count() == 0


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("# Title\n\nWords", ["h2", "p"]),
        ("- one\n- two\n\n1. three", ["ul", "li", "li", "ol", "li"]),
        ("> quoted", ["blockquote", "p"]),
        ("```py\nx = 1\n", ["pre"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]),
        ("---", ["hr"]),
        ("`code` and ~~gone~~ and *said*", ["p", "code", "del", "em"]),
    ],
)
def test_markdown_is_drawn_with_its_elements(stage: Stage, text: str, tags: list[str]) -> None:
    run(stage, number=1, text=text)

    drawn = stage.page.evaluate("[...document.querySelectorAll('.lulu-flow > div *')].map((one) => one.localName)")
    assert drawn == tags
