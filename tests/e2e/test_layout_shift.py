"""Nothing jumps, as Chromium itself counts it: while a page comes, and at the end of a text that was written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.prompts import PATIENCE, start, status
from tests.e2e.test_cockpit import FAST, approve
from tests.tiers import keep_short

#: Before a page's own scripts: what moved that nobody has moved, and the sum of it.
NOTE_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts.push([entry.startTime, entry.value]);
  }).observe({ type: "layout-shift", buffered: true });
"""
#: A page that has come: shown, at rest, and with what stands above the part that is drawn first.
_HAS_COME = """() => document.documentElement.matches("[data-lulu-main]")
  && document.querySelector(".stApp[data-test-script-state=notRunning]") !== null
  && document.querySelector(".st-key-bell_earlier") === null"""
#: What may come after that and is not waited for has come by then (milliseconds).
_LATER = 1_000


def shifted(page: Page, since: float = 0) -> float:
    """How much has moved since that moment (of ``performance.now()``), as a share of the window."""
    return float(page.evaluate("since => shifts.reduce((sum, [at, by]) => sum + (at < since ? 0 : by), 0)", since))


def shift_of_load(page: Page, load: Callable[[], object]) -> float:
    """How much moves while a page comes."""
    load()
    page.wait_for_function(_HAS_COME, timeout=PATIENCE)
    page.wait_for_timeout(_LATER)
    assert page.locator("[data-testid=stMain]").evaluate("main => main.checkVisibility({ opacityProperty: true })")
    return shifted(page)


@pytest.mark.parametrize(("width", "height"), keep_short(1, (390, 844), (1280, 800)))
def test_a_page_that_is_opened_does_not_jump(
    server: NewServer, new_viewer: Callable[..., Viewer], width: int, height: int
) -> None:
    lulu = server(env=FAST)
    page = new_viewer().page
    told = start(page, lulu.url, "Tell me a story about the lighthouse")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    start(page, lulu.url, "Give me the tour")
    expect(approve(page)).to_be_visible(timeout=PATIENCE)

    by: dict[str, float] = {}
    for address in (lulu.url, told, f"{lulu.url}/inbox"):
        viewer = new_viewer(viewport={"width": width, "height": height})
        viewer.page.add_init_script(NOTE_SHIFTS)
        by[address] = shift_of_load(viewer.page, lambda to=address, on=viewer.page: on.goto(to))  # type: ignore[misc]
        by[f"{address} again"] = shift_of_load(viewer.page, viewer.page.reload)
        assert viewer.console_errors == []
        viewer.close()

    assert {address: shift for address, shift in by.items() if shift > 0.05} == {}
