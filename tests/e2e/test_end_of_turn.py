"""Measures each frame around the end of a turn and the next prompt: nothing moves for a reader who has scrolled up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually
from tests.e2e.prompts import PATIENCE
from tests.e2e.test_flow import open_stage, settled
from tests.e2e.test_reading import is_at_end, scroll_up
from tests.e2e.test_turns import height_of
from tests.e2e.test_twenty_guests import ask
from tests.support import ROOT, LuluServer
from tests.tiers import keep_short

#: Notes, in each frame, how far the text that is read stands from where it stood: before the frame is laid out, and as
#: it is painted; how many copies of it there are, whether it is the same element, and what moves anywhere.
_NOTE = """words => {
  const copies = () => [...document.querySelectorAll(".st-key-transcript .stMarkdown")]
    .filter((node) => node.textContent.startsWith(words) && node.getClientRects().length > 0);
  const [read] = copies(), before = read.getBoundingClientRect().top;
  window.noted = { moved: 0, frames: 0, copies: [], isSame: true, shift: 0 };
  const note = () => {
    const found = copies(), off = found.map((node) => Math.abs(node.getBoundingClientRect().top - before));
    noted.moved = Math.max(noted.moved, Math.min(...off));
    if (!noted.copies.includes(found.length)) noted.copies.push(found.length);
    noted.isSame &&= read.isConnected;
  };
  const probe = Object.assign(document.createElement("div"), { style: "position: fixed; width: 1px; height: 1px" });
  document.body.append(probe);
  new ResizeObserver(note).observe(probe);
  const frame = () => {
    noted.frames += 1;
    note();
    probe.style.width = `${noted.frames % 2 + 1}px`;
    requestAnimationFrame(frame);
  };
  frame();
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) noted.shift += entry.value; })
    .observe({ type: "layout-shift" });
}"""


@pytest.fixture
def lulu(server: NewServer) -> LuluServer:
    bench = ROOT / "scripts" / "bench" / "app.py"
    env = {"LULU_AGENT": "demo", "LULU_DEMO_SPEED": "20", "PYTHONPATH": str(ROOT)}
    made = server(env=env, script=bench, start=False)
    shutil.copytree(ROOT / ".streamlit", made.work_dir / ".streamlit")
    made.start()
    return made


@pytest.mark.parametrize(
    ("how", "up"), keep_short(1, ("well", 1200), ("well", 150), ("with tools", 1200), ("fails", 150), ("stops", 1200))
)
def test_nobody_who_has_scrolled_up_is_moved(
    lulu: LuluServer, new_viewer: Callable[..., Viewer], how: str, up: int
) -> None:
    viewer = new_viewer(signed_in=False)
    page = viewer.page
    session_id = open_stage(viewer, lulu)
    for number in range(20):
        if how == "with tools" and number % 4 == 3:
            ask(lulu, "call", id=session_id, text=f"call {number}")
        ask(lulu, "append", id=session_id, text=f"Part {number}. " + "word " * 150)
    expect(page.get_by_text("Part 19.")).to_be_in_viewport(timeout=PATIENCE)
    page_eventually(page, lambda: is_at_end(page))
    scroll_up(page, up)
    texts = {number: page.get_by_text(f"Part {number}.") for number in range(20)}
    read = next(number for number, text in texts.items() if height_of(text) > 90)
    page.evaluate(_NOTE, f"Part {read}.")

    ask(lulu, "end", id=session_id, how=how)
    assert noted_until(page, 1)["shift"] <= 0.01

    # From somewhere else, and nobody waits for it here.
    ask(lulu, "prompt", id=session_id, text="Tell me a story about the lighthouse")
    noted_until(page, 2)
    assert viewer.console_errors == []


def noted_until(page: Page, turns: int) -> dict[str, Any]:
    """What was noted, when so many turns have ended and the page is at rest; what is read has not moved."""
    expect(page.get_by_text("Copy or fork")).to_have_count(turns, timeout=PATIENCE)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    settled(page)
    noted: dict[str, Any] = page.evaluate("noted")
    assert noted["moved"] <= 0.5
    assert (noted["copies"], noted["isSame"]) == ([1], True)
    assert noted["frames"] > 10
    return noted
