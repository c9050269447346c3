"""What a screen reader says comes in the order in which the page shows it: the document's order is what is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lulu import runtime
from lulu.model.sessions import Launch, SessionStatus
from lulu.settings import Settings
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.prompts import PATIENCE, start
from tests.e2e.test_cockpit import FAST, approve
from tests.support import LuluServer
from tests.ui.recorded import SAMPLES

#: Texts that stand on one line, the left one after the right one in the document. What scrolls beneath something else
#: is compared with its own kind alone.
_TURNED_ROUND = r"""() => {
  const parts = [".st-key-session_header", ".st-key-transcript", "[data-testid=stBottom]", "[data-testid=stMain]"];
  const found = new Map();
  const walker = document.createTreeWalker(document.querySelector("[data-testid=stMain]"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest("[aria-hidden=true]")) continue;
    if (!parent.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const part = parts.find((one) => parent.closest(one));
    if (!found.has(part)) found.set(part, []);
    const end = parent.closest("p, h1")?.getBoundingClientRect().right ?? Infinity;
    for (const box of range.getClientRects())
      if (box.width > 2 && box.left < end) found.get(part).push([node.data.trim(), box]);
  }
  const isOneLine = (a, b) =>
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > Math.min(a.height, b.height) / 2;
  const turned = new Set();
  for (const texts of found.values())
    texts.forEach(([first, a], at) => {
      for (const [second, b] of texts.slice(at + 1))
        if (isOneLine(a, b) && b.right <= a.left) turned.add(`“${first}” is read before “${second}”`);
    });
  return [...turned];
}"""


def settle(page: Page) -> None:
    """Wait until all of a page is there."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached(timeout=PATIENCE)
    expect(page.locator(".st-key-bell_earlier, [data-testid=stSkeleton]")).to_have_count(0, timeout=PATIENCE)


def with_every_call(lulu: LuluServer) -> str:
    """A session with calls of every kind, in a Lulu that does not run; its id."""
    store = runtime.start(Settings(data_dir=lulu.data_dir, agent="demo")).store
    launch = Launch(prompt="Round the tax once", working_directory="/home/ada/invoices", agent="demo")
    session_id = store.sessions.insert(launch, status=SessionStatus.COMPLETED)
    for sample in SAMPLES.values():
        store.events.append(session_id, sample.events)
    runtime.stop()
    return session_id


@pytest.mark.long
def test_what_stands_on_one_line_is_read_from_left_to_right(
    server: NewServer, new_viewer: Callable[..., Viewer]
) -> None:
    lulu = server(env=FAST, start=False)
    session_id = with_every_call(lulu)
    lulu.start()
    viewer = new_viewer()
    page = viewer.page
    waits = start(page, lulu.url, "Give me the tour")
    expect(approve(page)).to_be_visible(timeout=PATIENCE)
    turned: dict[str, object] = {}

    for path in (waits, f"{lulu.url}/session?id={session_id}", f"{lulu.url}/inbox", lulu.url):
        page.goto(path)
        settle(page)
        if "session" in path:
            expect(page.locator("[class*=st-key-outcome_]")).not_to_have_count(0)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            turned[f"{path} at {width}"] = page.evaluate(_TURNED_ROUND)

    assert {path: texts for path, texts in turned.items() if texts} == {}
    assert viewer.console_errors == []
