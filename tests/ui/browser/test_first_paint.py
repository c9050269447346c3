"""A page is shown when what is in view has come."""

from __future__ import annotations

import pytest

from lulu.ui.browser import page_head
from tests.ui.browser.conftest import Stage

SKELETON = '<div data-testid="stSkeleton" style="height: 20px"></div>'
PAGE = """
<div data-testid="stSidebar" class="aside"></div>
<div data-testid="stMain"><div data-testid="stElementContainer">Words</div>{0}</div>
"""


def shown(stage: Stage) -> list[str]:
    """Which parts of the page are shown, some frames later."""
    stage.page.clock.run_for(200)
    return [name for name in ("main", "beside") if stage.page.locator(f"html[data-lulu-{name}]").count()]


def add(stage: Stage, key: str) -> None:
    html = f"<p class='{key}'><a></a></p>"
    stage.page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", html)


@pytest.fixture
def begun(stage: Stage) -> Stage:
    """A page with something on its way."""
    stage.page.clock.install()
    stage.open(page_head.HEAD + PAGE.format(SKELETON))
    return stage


@pytest.mark.parametrize("end", ["st-key-drawn", "st-key-pages"])
def test_a_part_is_shown_when_its_end_and_all_in_view_have_come(begun: Stage, end: str) -> None:
    add(begun, end)
    with_a_gap = shown(begun)
    begun.page.evaluate("document.querySelector('[data-testid=stSkeleton]').remove()")
    whole = shown(begun)
    add(begun, "st-key-sidebar_end")

    assert (with_a_gap, whole, shown(begun)) == ([], ["main"], ["main", "beside"])


def test_what_never_comes_is_not_waited_for(begun: Stage) -> None:
    begun.page.clock.run_for(3_500)

    assert shown(begun) == ["main", "beside"]


def test_a_page_without_its_script_is_shown_all_the_same(stage: Stage) -> None:
    stage.open(page_head.STYLE + '<div class="app"><div class="stMain">Words</div></div>')

    animation = stage.page.evaluate("getComputedStyle(document.querySelector('.app')).animationName")

    assert animation == "lulu-show"
