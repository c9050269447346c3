"""axe-core looks at every page, in light and dark, wide and on a phone: nothing that keeps anybody out."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from lulu import runtime
from lulu.model.events import Text
from lulu.model.sessions import Launch, SessionStatus
from lulu.settings import Settings
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.prompts import PATIENCE, start
from tests.e2e.test_cockpit import FAST, approve
from tests.e2e.test_guest import CLOSED
from tests.support import LuluServer
from tests.tiers import keep_short
from tests.ui.recorded import SAMPLES

#: What is looked at in a session: a call of every kind that opens by itself, text, lists, notices.
SHOWN = ("prompt", "text", "thinking", "bash_failed", "edit_failed", "mcp_long", "question", "plan", "tasks", "error")
#: What an agent wrote that knows nothing of the page: levels that are left out, and code wider than a phone.
WRITTEN = "### Deep\n\n# Top\n\n#### Deeper\n\n```python\n" + "total = sum(lines) + " * 8 + "0\n```"
TITLE = ".stMain h1"
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
#: Every rule, also those of good practice: order of headings, landmarks.
RUN = "axe.run(document, {resultTypes: ['violations']})"
_LEVELS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((head) => head.checkVisibility()).map((head) => Number(head.ariaLevel ?? head.tagName[1]))"""


Scheme = Literal["light", "dark"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scheme", keep_short(1, "light", "dark"))
def test_no_session_keeps_anybody_out(server: NewServer, new_viewer: Callable[..., Viewer], scheme: Scheme) -> None:
    lulu = server(env=FAST, start=False)
    session_id = with_a_session(lulu)
    lulu.start()
    page = new_viewer(color_scheme=scheme).page
    waits = start(page, lulu.url, "Give me the tour").removeprefix(lulu.url)
    expect(approve(page)).to_be_visible(timeout=PATIENCE)
    signs = {
        f"/session?id={session_id}": ".st-key-transcript details[open] pre",
        waits: "[class*=st-key-approve_]",
        f"/preview?id={session_id}": ".st-key-transcript h2",
        "/inbox": "[class*=st-key-approve_]",
        "/": "[class*=st-key-card_]",
    }

    found = look_at(page, lulu.url, signs)

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scheme", keep_short(1, "light", "dark"))
def test_no_page_keeps_anybody_out(server: NewServer, new_viewer: Callable[..., Viewer], scheme: Scheme) -> None:
    lulu = server(env=FAST, start=False)
    with_a_session(lulu)
    lulu.start()
    owner, stranger = (new_viewer(color_scheme=scheme, signed_in=is_owner) for is_owner in (True, False))
    paths = ("/", "/settings", "/devices", "/audit", "/help", "/nowhere", "/session?id=nobody")
    signs = {"/search?q=tax": ".st-key-search_results", **dict.fromkeys(paths, TITLE)}

    found = look_at(owner.page, lulu.url, signs) | look_at(stranger.page, lulu.url, {"/": f"text={CLOSED}"})

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def with_a_session(lulu: LuluServer) -> str:
    """A session with what ``SHOWN`` and ``WRITTEN`` say, in a Lulu that does not run; its id."""
    store = runtime.start(Settings(data_dir=lulu.data_dir, agent="demo")).store
    launch = Launch(prompt="Round the tax once", working_directory="/home/ada/invoices", agent="demo")
    session_id = store.sessions.insert(launch, status=SessionStatus.COMPLETED)
    for name in SHOWN:
        store.events.append(session_id, SAMPLES[name].events)
    store.events.append(session_id, [Text(content=WRITTEN)])
    runtime.stop()
    return session_id


def look_at(page: Page, url: str, signs: dict[str, str]) -> dict[str, list[str]]:
    """What is wrong on pages, once the ``sign`` of each is there: wide, and on a phone."""
    found: dict[str, list[str]] = {}
    for path, sign in signs.items():
        page.set_viewport_size({"width": 1280, "height": 860})
        page.goto(f"{url}{path}")
        expect(page.locator(sign).first).to_be_visible(timeout=PATIENCE)
        expect(page.locator("[data-test-script-state]:not([data-test-script-state=notRunning])")).to_have_count(0)
        expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=PATIENCE)
        page.evaluate(AXE)  # not a script tag: the page's policy allows none
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            found[f"{path} at {width}"] = [*seen_by_axe(page), *wrong_headings(page)]
    return found


def seen_by_axe(page: Page) -> list[str]:
    """What axe finds."""
    violations: list[dict[str, Any]] = page.evaluate(RUN)["violations"]
    return [
        f"{violation['impact']}: {violation['id']} at {node['target']}: {node['html'][:200]}"
        for violation in violations
        for node in violation["nodes"]
    ]


def wrong_headings(page: Page) -> list[str]:
    """A page has one heading of the first level, and none is more than one level below the one before it.

    axe takes Streamlit's page for an open dialog, in which it asks for no heading.
    """
    levels: list[int] = page.evaluate(_LEVELS)
    is_right = levels.count(1) == 1 and all(below - above <= 1 for above, below in pairwise(levels))
    return [] if is_right else [f"levels of headings: {levels}"]
