"""What a row measures on: one Lulu with the extra routes, one Chromium, and sessions made when they are wanted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import psutil
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, sync_playwright

from scripts.bench import browser_side
from scripts.bench.viewers import COOKIE, STAND_BACK
from tests.browser import ARGUMENTS, executable, sign_in
from tests.support import ROOT, LuluServer

T = TypeVar("T")

#: Sessions in the list, where a row speaks of a long list.
CROWD = 5_000
#: A connection is not used again for longer (seconds) than the server keeps it.
_SHORT_LIVED = httpx.Limits(keepalive_expiry=2)
#: A request that fills the store may take this long (seconds).
_PATIENCE = 1_800
_VIEWPORT: ViewportSize = {"width": 1280, "height": 800}
#: A page may take this long (milliseconds) before a row gives up.
GIVE_UP = 120_000


class Stage:
    """Made once for all rows of a run; each row leaves it usable for the next."""

    def __init__(self, folder: Path, rounds: int) -> None:
        #: How often each thing is measured; the median counts.
        self.rounds = rounds
        self.folder = folder
        self._servers: list[LuluServer] = []
        self._lulu: LuluServer | None = None
        self._sessions: dict[str, str] = {}
        self._has_crowd = False
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        # One for all: a new one reads the machine's certificates, which takes longer than most of what is measured.
        self._client = httpx.Client(timeout=_PATIENCE, trust_env=False, limits=_SHORT_LIVED)

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browser = self._launch()
        return self

    def _launch(self) -> Browser:
        if self._playwright is None:
            raise RuntimeError("The stage is not open.")
        return self._playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))

    def __exit__(self, *_: object) -> None:
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()
        self._client.close()
        for server in self._servers:
            server.close()

    # -- the server

    @property
    def lulu(self) -> LuluServer:
        """The server that most rows share."""
        if self._lulu is None:
            self._lulu = self.new_server()
        return self._lulu

    def new_server(self, **env: str) -> LuluServer:
        """A server of a row's own, for what must not be disturbed by what other rows left."""
        folder = self.folder / f"server{len(self._servers)}"
        # IS_SANDBOX: the demo agent may bypass permissions for root, too.
        environ = {"LULU_AGENT": "demo", "IS_SANDBOX": "1", "PYTHONPATH": str(ROOT), **env}
        server = LuluServer(folder, env=environ, script=ROOT / "scripts" / "bench" / "app.py")
        shutil.copytree(ROOT / ".streamlit", server.work_dir / ".streamlit")
        self._servers.append(server)
        server.start()
        return server

    def ask(self, job: str, server: LuluServer | None = None, **wanted: object) -> Any:
        """Have one of the jobs of ``scripts/bench/app.py`` done."""
        asked = server or self.lulu
        answer = self._client.post(
            f"{asked.url}/bench/{job}",
            content=json.dumps(wanted),
            headers={"Origin": asked.url, "Cookie": asked.sign_in()},
        )
        answer.raise_for_status()
        return answer.json()

    def session(self, tag: str, events: int) -> str:
        """The finished session of this name and length on the shared server."""
        if tag not in self._sessions:
            self._sessions[tag] = self.ask("fill", tag=tag, events=events)["id"]
        return self._sessions[tag]

    def crowd(self) -> None:
        """See to it that the list of the shared server is long."""
        if not self._has_crowd:
            self._has_crowd = True
            self.ask("crowd", count=CROWD)

    @contextmanager
    def viewers(self, server: LuluServer, path: str, count: int, cookie: str = "") -> Iterator[subprocess.Popen[str]]:
        """So many protocol viewers of a page, in a process of their own; the owner's unless they have a cookie."""
        command = [sys.executable, "-m", "scripts.bench.viewers", server.url, path, str(count)]
        environ = {**os.environ, COOKIE: cookie or server.sign_in()}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            if process.stdout is None or process.stdout.readline().strip() != "ready":
                raise RuntimeError("The protocol viewers did not get their page.")
            yield process
        finally:
            process.communicate(timeout=60)

    # -- the browser

    def new_context(self) -> BrowserContext:
        """A browser with an empty cache, which notes when what it is asked about comes into view."""
        if self._browser is None:
            raise RuntimeError("The stage is not open.")
        return self._prepare(self._browser.new_context(viewport=_VIEWPORT))

    def _prepare(self, context: BrowserContext) -> BrowserContext:
        context.set_default_timeout(GIVE_UP)
        context.add_init_script(browser_side.NOTES)
        return context

    @contextmanager
    def page(self, server: LuluServer | None = None) -> Iterator[Page]:
        """A page in a browser of its own, signed in at this server."""
        context = self.new_context()
        if server is not None:
            sign_in(context, server)
        yield context.new_page()
        context.close()

    @contextmanager
    def far_page(self) -> Iterator[Page]:
        """A page in a Chromium that stands back for the server, as the protocol viewers do: that of another machine."""
        before = set(psutil.Process().children(recursive=True))
        browser = self._launch()
        for process in set(psutil.Process().children(recursive=True)) - before:
            with contextlib.suppress(psutil.Error):
                for thread in process.threads():
                    _stand_back(thread.id)
        try:
            yield self._prepare(browser.new_context(viewport=_VIEWPORT)).new_page()
        finally:
            browser.close()


def _stand_back(thread: int) -> None:
    """Each thread has a priority of its own; those that come later have that of who made them."""
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, 0) + STAND_BACK)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns. In a thread of its own: Playwright's loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def first_seen(page: Page, text: str) -> float:
    """Milliseconds from the start of this page's load until the text was in view."""
    return float(page.evaluate(browser_side.FIRST_SEEN, text))


def click_until_seen(page: Page, link: str, text: str) -> float:
    """Milliseconds from a click on what the selector ``link`` finds until the text is in view.

    A real click of the mouse: Streamlit's client does not run the page for every one that a script makes up.
    """
    page.evaluate(browser_side.ARM, text)
    page.locator(link).first.click()
    return float(page.evaluate(browser_side.SINCE_CLICK))


def settle(page: Page) -> None:
    """Wait until no script runs and nothing is about to, and the browser has nothing left to do."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_timeout(300)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]:not(:has(.st-key-bell_earlier))")
    page.evaluate("() => new Promise((done) => requestIdleCallback(done, { timeout: 5000 }))")


def cpu_seconds(pid: int) -> float:
    """What the process has used so far, its children not counted."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def memory_mb(pid: int) -> float:
    """What the process holds in memory (MB)."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


class Work:
    """What server and browser compute between ``begin`` and ``note``: the clock also counts whatever else runs here."""

    def __init__(self, server: LuluServer) -> None:
        self._server = server
        self._began = self._used()

    def note(self, times: int) -> str:
        """What one of so many operations took."""
        server, browser = ((now - then) / times * 1000 for now, then in zip(self._used(), self._began, strict=True))
        return f"computing: server {server:.0f} ms, browser {browser:.0f} ms"

    def _used(self) -> tuple[float, float]:
        children = psutil.Process().children(recursive=True)
        browser = sum(cpu_seconds(child.pid) for child in children if "chrom" in child.name())
        return cpu_seconds(self._server.pid), browser


def cpu_percent(pid: int, seconds: float, page: Page | None = None) -> float:
    """Percent of one core that the process uses for the next seconds. A page is heard meanwhile."""
    before, began = cpu_seconds(pid), time.perf_counter()
    if page is not None:
        page.wait_for_timeout(seconds * 1000)
    else:
        time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.perf_counter() - began) * 100
