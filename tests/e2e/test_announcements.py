"""What a screen reader says by itself: a new request, once, in an element that was there before it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually
from tests.e2e.prompts import PATIENCE, start
from tests.e2e.test_cockpit import FAST, approve

#: Before a page's own scripts: the words of such an element in each frame in which they, or it, have changed.
_NOTE = """
  window.said = [];
  let spoken = null;
  const look = () => {
    const line = document.querySelector("[class*=st-key-now_line_]");
    const node = document.querySelector(line ? ".lulu-asked" : ".lulu-said");
    if (node && node.role === "status" && (node !== spoken || said.at(-1) !== node.textContent)) {
      if (node !== spoken) said.push("there");
      said.push(node.textContent);
      spoken = node;
    }
    requestAnimationFrame(look);
  };
  look();
"""


def said(page: Page) -> list[str]:
    """What was said on this page, from where an element to say it in was there."""
    words: list[str] = page.evaluate("said")
    return words[len(words) - words[::-1].index("there") :] if "there" in words else []


def test_a_request_is_said_once_here_and_elsewhere(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env=FAST)
    here, elsewhere = new_viewer(), new_viewer()
    for viewer in (here, elsewhere):
        viewer.page.add_init_script(_NOTE)
    elsewhere.page.goto(f"{lulu.url}/inbox")
    page_eventually(elsewhere.page, lambda: said(elsewhere.page) == [""])

    start(here.page, lulu.url, "Give me the tour")

    expect(approve(here.page)).to_be_visible(timeout=PATIENCE)
    asked = ["", "Edit billing/invoice.py?"]
    waits = ["", "Give me the tour waits for you."]
    page_eventually(here.page, lambda: said(here.page) == asked)
    page_eventually(elsewhere.page, lambda: said(elsewhere.page) == waits)

    # Another run of what draws it says nothing.
    here.page.get_by_text("Edit before approving").click()
    expect(here.page.get_by_label("Input, as JSON")).to_be_visible(timeout=PATIENCE)
    assert said(here.page) == asked

    approve(here.page).click()
    page_eventually(here.page, lambda: said(here.page)[2:3] == [""])
    assert said(elsewhere.page)[:2] == waits
    assert here.console_errors == []
    assert elsewhere.console_errors == []
