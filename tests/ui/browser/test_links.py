"""Tests of links.js: followed links, and the scroll position after Back and a reload."""

from __future__ import annotations

from tests.ui.browser.conftest import Stage

HITS = """
<div data-testid="stMain" style="height: 600px; overflow: auto">
  <div class="st-key-search_results"><div class="stPageLink"><a href="/session?id=two&event=7">A hit</a></div></div>
  <div style="height: 3000px"></div>
</div>
"""


def main_top(stage: Stage) -> float:
    return float(stage.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop"))


def test_a_hit_is_followed_without_a_reload_and_its_query_is_kept(stage: Stage) -> None:
    stage.open(HITS, "/search?q=lighthouse")
    stage.load("links.js")
    stage.page.evaluate("window.popped = 0; addEventListener('popstate', () => { popped += 1; })")

    stage.page.get_by_text("A hit").click()

    assert stage.page.url.endswith("/session?id=two&event=7")
    assert stage.page.evaluate("popped") == 1
    assert stage.page.evaluate("JSON.parse(sessionStorage['lulu-found'])") == {"event": "7", "query": "lighthouse"}


def test_a_click_for_a_new_tab_is_the_browser_s(stage: Stage) -> None:
    stage.open(HITS, "/search?q=lighthouse")
    stage.load("links.js")

    with stage.page.context.expect_page():
        stage.page.get_by_text("A hit").click(modifiers=["ControlOrMeta"])

    assert stage.page.url.endswith("/search?q=lighthouse")


def test_back_and_a_reload_come_back_to_the_place(stage: Stage) -> None:
    stage.open(HITS, "/search?q=lighthouse")
    stage.load("links.js")
    stage.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop = 700")
    stage.page.wait_for_function("sessionStorage.getItem('lulu-place:/search?q=lighthouse') === '700'")

    stage.page.reload()
    before = main_top(stage)
    stage.loaded.clear()
    stage.load("links.js")

    assert before == 0
    stage.page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 700")


def test_a_page_that_is_drawn_late_comes_back_to_its_place(stage: Stage) -> None:
    stage.page.clock.install()
    stage.open("", "/search?q=lighthouse")
    stage.page.evaluate("sessionStorage.setItem('lulu-place:/search?q=lighthouse', '700')")
    stage.load("links.js")
    stage.page.evaluate("history.pushState({}, '', '/inbox')")
    stage.page.go_back()
    stage.page.clock.run_for(10_000)

    stage.page.evaluate("(html) => { document.body.innerHTML = html; }", HITS)
    stage.page.clock.run_for(200)

    assert main_top(stage) == 700
