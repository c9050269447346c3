"""The harness itself: it must fail when it should, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.support import eventually, free_port, process_tree

#: The smallest app that the harness can drive: a page, a health check, and a child process that nobody asked for.
SMALL_APP = """
import os, subprocess, sys
import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def health(request):
    return PlainTextResponse("ok")

subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("data in", os.environ["LULU_DATA_DIR"], "extra", os.environ.get("EXTRA"), flush=True)
app = st.App("page.py", routes=[Route("/healthz", health)])
"""


@pytest.fixture
def small_app(tmp_path: Path) -> Path:
    script = tmp_path / "small_app.py"
    script.write_text(SMALL_APP)
    (tmp_path / "page.py").write_text("import streamlit as st\nst.title('A small page')\n")
    return script


def test_eventually_returns_the_first_true_answer() -> None:
    answers = iter([0, [], "third"])

    assert eventually(lambda: next(answers)) == "third"


def test_eventually_asks_again_after_a_failed_assertion() -> None:
    answers = iter([1, 2, 3])

    def is_three() -> bool:
        assert next(answers) == 3
        return True

    assert eventually(is_three)


def test_eventually_gives_up_with_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"within 0\.05 s; the last time, it returned 0"):
        eventually(lambda: 0, timeout=0.05)


def test_eventually_lets_other_errors_through() -> None:
    def breaks() -> bool:
        raise KeyError("wrong")

    with pytest.raises(KeyError):
        eventually(breaks)


def test_free_port_can_be_listened_on() -> None:
    assert 1024 <= free_port() <= 65535


def test_environment_holds_nothing_of_the_person_who_runs_the_tests(tmp_path: Path) -> None:
    strangers = [
        name for name in os.environ if name.startswith(("LULU_", "ANTHROPIC_", "CLAUDE")) and name not in _GIVEN
    ]

    assert strangers == []
    assert Path.home() == tmp_path / "home"
    assert Path.cwd() == tmp_path / "work"


_GIVEN = {"LULU_DATA_DIR", "CLAUDE_CONFIG_DIR"}


def test_process_tree_has_the_grandchildren_and_nothing_of_the_dead() -> None:
    sleeper = "import time; time.sleep(600)"
    nest = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeper!r}])"
    parent = subprocess.Popen([sys.executable, "-c", nest])

    family = eventually(lambda: tree if len(tree := process_tree(parent.pid)) == 2 else None)
    for member in reversed(family):
        member.kill()
    parent.wait(timeout=60)

    assert family[0].pid == parent.pid
    assert process_tree(parent.pid) == []


@pytest.mark.timing
def test_server_keeps_folders_and_port_over_kill_and_restart(server: NewServer, small_app: Path) -> None:
    lulu = server(script=small_app, env={"EXTRA": "42"})
    first, url = lulu.pid, lulu.url

    lulu.kill9()
    lulu.restart()
    seconds = lulu.terminate()

    assert lulu.url == url
    assert lulu.log.count(f"data in {lulu.data_dir} extra 42") == 2
    assert seconds < 10
    assert process_tree(first) == []


def test_server_close_ends_the_children_of_a_killed_server(server: NewServer, small_app: Path) -> None:
    lulu = server(script=small_app)
    (child,) = psutil.Process(lulu.pid).children()

    lulu.kill9()
    survived = child.is_running()
    lulu.close()

    assert survived
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_server_that_cannot_start_fails_with_its_log(server: NewServer, tmp_path: Path) -> None:
    script = tmp_path / "broken_app.py"
    script.write_text("import streamlit as st\nraise SystemExit('no such luck')\napp = st.App('page.py')\n")

    with pytest.raises(RuntimeError, match="no such luck"):
        server(script=script)


PAGE = b"""<!doctype html><link rel=icon href=data:,><title>probe</title>
<script>
  console.error("on purpose");
  fetch("http://elsewhere.example/beacon").catch(() => {});
  fetch("/deep/_stcore/health").then(() => document.title = "done");
</script>"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE if found else b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def plain_page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as httpd:
        thread = threading.Thread(target=partial(httpd.serve_forever, poll_interval=0.05))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


def test_viewer_tells_requests_that_leave_and_errors_but_no_probe(viewer: Viewer, plain_page: str) -> None:
    viewer.page.goto(plain_page)
    expect(viewer.page).to_have_title("done")

    errors = viewer.console_errors

    assert viewer.offsite_requests == ["http://elsewhere.example/beacon"]
    assert any("on purpose" in error for error in errors)
    assert not any("_stcore" in error for error in errors)


def test_viewer_sees_websockets(server: NewServer, page: Page, viewer: Viewer, small_app: Path) -> None:
    lulu = server(script=small_app)

    page.goto(lulu.url)
    expect(page.get_by_role("heading", name="A small page")).to_be_visible(timeout=60_000)

    assert any(address.startswith(f"ws://127.0.0.1:{lulu.port}/") for address in viewer.requests)


def test_viewers_share_no_cookies(new_viewer: Callable[..., Viewer], plain_page: str) -> None:
    one, other = new_viewer(), new_viewer()
    one.context.add_cookies([{"name": "who", "value": "one", "url": plain_page}])

    other.page.goto(plain_page)

    assert other.context.cookies() == []
