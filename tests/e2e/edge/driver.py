"""Starts the tiny app, and speaks to it and to its page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from playwright.sync_api import Page, expect

from tests.browser import Viewer
from tests.support import ROOT, LuluServer, eventually

T = TypeVar("T")

#: Looks, a tenth of a second apart, that find the same where something has come to an end.
_LOOKS = 6


class Edge:
    """One process of the tiny app, with the settings that are shipped."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
        for script in ("app.py", "page.py"):
            shutil.copy(Path(__file__).parent / script, folder)
        self.process = LuluServer(folder, env={"PYTHONPATH": str(ROOT)}, script=folder / "app.py")
        self.url = self.process.url
        # One connection for all that is said: a client of its own for each would take most of the time.
        self._client = httpx.Client(timeout=60, trust_env=False, verify=False)

    def close(self) -> None:
        self._client.close()
        self.process.close()

    def say(self, *topics: str, text: str = "", times: int = 1) -> Any:
        """Store a line and ring the topics. The answer: open bells, runs of each part, lines so far."""
        query = urlencode([("text", text), ("times", times), *(("topic", topic) for topic in topics)])
        return self._client.get(f"{self.url}/say?{query}").json()


def open_live(viewer: Viewer, edge: Edge) -> Page:
    """The page with the bells, once it listens."""
    with viewer.page.expect_websocket(lambda socket: socket.url.endswith("/bell")):
        viewer.page.goto(edge.url)
    viewer.page.get_by_text("before", exact=True).wait_for()
    page_eventually(viewer.page, lambda: viewer.page.evaluate("window.luluHub?.last('ring', 'session:abc') > 0"))
    at_rest(viewer.page)
    return viewer.page


def page_eventually(page: Page, check: Callable[[], Any], timeout: float = 30) -> Any:
    """As ``eventually``, but the browser's events are heard meanwhile."""

    def listen_and_check() -> Any:
        page.wait_for_timeout(20)
        return check()

    return eventually(listen_and_check, timeout=timeout)


def at_rest(page: Page) -> None:
    """Wait until no run is under way, and what the last one has drawn is on the page."""
    expect(page.locator(".stApp[data-test-script-state=notRunning]")).to_be_attached()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def steady(page: Page, look: Callable[[], T]) -> T:
    """What ``look`` finds, once it has found the same several times; each look waits for a busy page."""
    found, times = look(), 1
    while times < _LOOKS:
        page.wait_for_timeout(100)
        now = look()
        found, times = now, times + 1 if now == found else 1
    return found
