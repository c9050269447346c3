"""The event that a link leads to, and what was searched for in it."""

from __future__ import annotations

from tests.ui.browser.conftest import Stage

PAGE = '<div style="height: 3000px"></div><div class="st-key-marked">A <b>Light</b>house and a light</div>'


def test_the_marked_event_comes_into_view(stage: Stage) -> None:
    stage.open(PAGE)

    stage.mount("scroll_target.js", {"event": 7})

    stage.page.wait_for_function("scrollY > 2000")


def test_words_of_the_search_are_marked_in_its_event_only(stage: Stage) -> None:
    stage.open(PAGE)
    stage.page.evaluate("sessionStorage['lulu-found'] = JSON.stringify({ event: '7', query: 'LIGHT' })")

    stage.mount("scroll_target.js", {"event": 8})
    elsewhere = stage.page.evaluate("CSS.highlights.size")
    stage.mount("scroll_target.js", {"event": 7})

    assert elsewhere == 0
    assert stage.page.evaluate("[...CSS.highlights.get('lulu-found')].map(String)") == ["Light", "light"]
