"""axe-core looks at every page, in light and dark: nothing that keeps anybody out."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from lulu import runtime
from lulu.sessions import Launch, SessionStatus
from lulu.settings import Settings
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.prompts import PATIENCE
from tests.ui.recorded import SAMPLES

#: What is looked at in a session: a call of every kind that opens by itself, text, lists, notices.
SHOWN = ("prompt", "text", "thinking", "bash_failed", "edit_failed", "mcp_long", "question", "plan", "tasks", "error")
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RUN = "axe.run(document, {resultTypes: ['violations']})"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_finding(
    server: NewServer, new_viewer: Callable[..., Viewer], scheme: Literal["light", "dark"]
) -> None:
    lulu = server(env={"LULU_AGENT": "demo"}, start=False)
    store = runtime.start(Settings(data_dir=lulu.data_dir, agent="demo")).store
    launch = Launch(prompt="Round the tax once", working_directory="/home/ada/invoices", agent="demo")
    session_id = store.insert_session(launch, status=SessionStatus.COMPLETED)
    for name in SHOWN:
        store.append(session_id, SAMPLES[name].events)
    runtime.stop()
    lulu.start()
    viewer = new_viewer(color_scheme=scheme)
    viewer.sign_in(lulu)
    page = viewer.page

    found = {
        path: look_at(page, f"{lulu.url}{path}", sign)
        for path, sign in {
            "/": "[class*=st-key-prompt]",
            f"/session?id={session_id}": ".st-key-transcript details[open] pre",
            "/search?q=tax": ".st-key-search_results",
            "/inbox": ".stMain h2, .stMain h3, .stMain h1",
            "/settings": ".stMain h2, .stMain h3, .stMain h1",
            "/help": ".stMain h2, .stMain h3, .stMain h1",
        }.items()
    }

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def look_at(page: Page, address: str, sign: str) -> list[str]:
    """What axe finds serious or critical on a page, once its ``sign`` is there."""
    page.goto(address)
    expect(page.locator(sign).first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached(timeout=PATIENCE)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=PATIENCE)
    page.evaluate(AXE)  # not a script tag: the page's policy allows none
    violations: list[dict[str, Any]] = page.evaluate(RUN)["violations"]
    return [
        f"{violation['impact']}: {violation['id']} at {node['target']}: {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
