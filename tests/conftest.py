"""A clean environment for every test; a Lulu server and a browser for those that ask."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import lanes, tiers
from tests.browser import ARGUMENTS, Viewer, executable
from tests.support import LuluServer, clean_environ

#: Found before the environment is cleaned.
_EXECUTABLE = executable()
_SERVERS = pytest.StashKey[list[LuluServer]]()
_VIEWERS = pytest.StashKey[list[Viewer]]()

# What is expected of a page has this long to come: a machine may be slow, and only a test that fails waits for it.
expect.set_options(timeout=30_000)

# Nor is a property judged by the clock.
hypothesis.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("any-machine")

#: Fixtures that start a server or a browser.
_SLOW = frozenset({"server", "browser"})

#: Holds a lock from its first line of output until its input ends.
_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("INSERT INTO sessions (id, prompt) VALUES ('held', 'p')")
sys.stdout.write("locked\\n")
sys.stdout.flush()
sys.stdin.read()
connection.execute("COMMIT")
"""


class Hold(Protocol):
    """Lets another process hold a database's lock; what it returns ends that."""

    def __call__(self, path: Path, begin: str = "BEGIN IMMEDIATE") -> Callable[[], None]: ...


class SmallDisk(Protocol):
    """Makes a folder a disk of its own, of 64 MB; whether this machine lets us. The test's end takes it away."""

    def __call__(self, folder: Path) -> bool: ...


class NewServer(Protocol):
    """Starts a Lulu and waits until it answers; the test's end ends it."""

    def __call__(
        self, *, env: Mapping[str, str] | None = None, script: Path | None = None, start: bool = True
    ) -> LuluServer: ...


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of this run's tier, mark what starts a server or a browser, and put the browser's tests last.

    Playwright's sync API leaves its event loop running in the main thread: ``asyncio.run`` works there no more.
    """
    config.hook.pytest_deselected(items=[item for item in items if not tiers.belongs(item)])
    items[:] = [item for item in items if tiers.belongs(item)]
    for item in items:
        if _SLOW.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.e2e)
        if _has_browser(item) and lanes.lane_of(item.nodeid) != "browser":
            raise pytest.UsageError(f"{item.nodeid} needs the browser. Add its file to BROWSER in tests/lanes.py.")
    items.sort(key=_has_browser)


def _has_browser(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> lanes.Lanes:
    """Return what gives the tests to the workers of ``-n 2``."""
    return lanes.Lanes(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Let a test with the marker ``timing`` run alone. This waits before the test's own time begins."""
    with lanes.turn(alone=item.get_closest_marker("timing") is not None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers of a failed test printed."""
    report = yield
    if report.failed:
        report.sections += [(f"Lulu on port {server.port}", server.log) for server in item.stash.get(_SERVERS, [])]
    return report


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Own home, data and working folder; no setting or credential of the person who runs the tests."""
    clean = {**clean_environ(tmp_path / "home"), "LULU_DATA_DIR": str(tmp_path / "lulu")}
    for name in os.environ.keys() - clean.keys():
        monkeypatch.delenv(name)
    for name, value in clean.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield
    _stop_lulu()


def _stop_lulu() -> None:
    # Only what the test has imported: a test of pure values needs neither Streamlit nor the runtime.
    runtime: Any = sys.modules.get("lulu.runtime")
    if runtime is not None:
        runtime.stop()
    streamlit: Any = sys.modules.get("streamlit")
    if streamlit is not None:
        streamlit.cache_data.clear()
        streamlit.cache_resource.clear()


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Another program that has a database locked; it also writes a session of its own, ``held``."""
    holders: list[subprocess.Popen[str]] = []

    def start(path: Path, begin: str = "BEGIN IMMEDIATE") -> Callable[[], None]:
        command = [sys.executable, "-c", _HOLDER, str(path), begin]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        return lambda: _let_go(holder)

    yield start
    for holder in holders:
        if holder.poll() is None:
            _let_go(holder)


def _let_go(holder: subprocess.Popen[str]) -> None:
    holder.communicate(timeout=30)


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    """A real file system that can be filled. Named before whatever keeps files open on it."""
    mounted: list[Path] = []

    def mount(folder: Path) -> bool:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "lulu-test", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            return False
        if done:
            mounted.append(folder)
        return done

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NewServer]:
    """A factory of Lulu servers, each with folders of its own."""
    servers = request.node.stash.setdefault(_SERVERS, [])
    viewers = request.node.stash.setdefault(_VIEWERS, [])

    def new(*, env: Mapping[str, str] | None = None, script: Path | None = None, start: bool = True) -> LuluServer:
        made = LuluServer(tmp_path / f"server{len(servers)}", env=env, script=script)
        servers.append(made)
        if start:
            made.start()
            for viewer in viewers if made.has_login else []:
                viewer.sign_in(made)
        return made

    yield new
    for made in servers:
        made.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_EXECUTABLE, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def new_viewer(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Viewer]]:
    """A factory of viewers, each a browser window with cookies of its own; options as of ``new_context``.

    A viewer is signed in at the test's servers, those that it starts later too; with ``signed_in=False`` it is nobody.
    """
    servers = request.node.stash.setdefault(_SERVERS, [])
    owners = request.node.stash.setdefault(_VIEWERS, [])
    viewers: list[Viewer] = []

    def new(*, signed_in: bool = True, **options: Any) -> Viewer:
        viewer = Viewer(browser.new_context(**options))
        viewers.append(viewer)
        if signed_in:
            owners.append(viewer)
            for server in servers:
                if server.has_login:
                    viewer.sign_in(server)
        return viewer

    yield new
    for viewer in viewers:
        viewer.close()


@pytest.fixture
def viewer(new_viewer: Callable[..., Viewer]) -> Viewer:
    """The viewer of a test that needs but one, in a window of 1280 by 800."""
    return new_viewer(viewport={"width": 1280, "height": 800})


@pytest.fixture
def page(viewer: Viewer) -> Page:
    """That viewer's page."""
    return viewer.page
