"""What somebody has seen survives the end of the server: kill -9 in mid-stream, SIGTERM and Ctrl-C."""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually
from tests.e2e.prompts import PATIENCE, send, start
from tests.messages_api import MessagesApi
from tests.support import LuluServer, eventually, process_tree
from tests.tiers import keep_short, scale

KILLS_OF_THE_DEMO = scale(short=1, long=8)
KILLS_OF_CLAUDE = 2

#: Characters of live text at which the server is killed, one for each kill: early, late, in the middle of markdown.
_MOMENTS = (1, 40, 150, 300, 500, 700, 900, 1_200)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a page showed in one moment, and what a reader of the file found in that moment."""

    transcript: str
    #: Id and type of each event.
    events: list[tuple[int, str]]


@pytest.fixture
def messages_api() -> Iterator[MessagesApi]:
    with MessagesApi() as api:
        yield api


def as_installed(folder: Path) -> dict[str, str]:
    """What a person's own start has: compiled modules, kept from the first start on."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "pycache")}


def rows(lulu: LuluServer, sql: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(lulu.database, timeout=10)) as connection:
        return connection.execute(sql, values).fetchall()


def letters(text: str) -> str:
    """The words alone: half-written markdown is drawn differently from the whole."""
    return re.sub(r"[\W\d_]", "", text)


def start_session(page: Page, url: str, prompt: str) -> str:
    """Start one and go to its page; its id."""
    return start(page, url, prompt).partition("id=")[2]


def status(page: Page, word: str) -> None:
    """Wait until the header says this."""
    expect(page.locator(".st-key-session_header").get_by_text(word)).to_be_visible(timeout=PATIENCE)


def wait_for_live_text(page: Page, characters: int) -> None:
    """Until the text that is being written has come this far on the page."""
    page.wait_for_function(
        "many => (document.querySelector('.st-key-live_text')?.innerText ?? '').length >= many",
        arg=characters,
        timeout=PATIENCE,
    )


def look(page: Page, lulu: LuluServer, session_id: str) -> Shown:
    """The page first: what it shows must have been in the file before."""
    transcript = page.evaluate("document.querySelector('.st-key-transcript')?.innerText ?? ''")
    found = rows(lulu, "SELECT id, event_type FROM conversation_events WHERE session_id = ? ORDER BY id", session_id)
    return Shown(transcript=transcript, events=[(int(str(one)), str(kind)) for one, kind in found])


def has_all(page: Page, lulu: LuluServer, session_id: str, before: Shown) -> Shown | None:
    """What is shown, where that goes on with what was shown before."""
    after = look(page, lulu, session_id)
    return after if letters(after.transcript).startswith(letters(before.transcript)) else None


def assert_all_is_there(page: Page, lulu: LuluServer, session_id: str, before: Shown) -> None:
    """After a restart: the page that stayed open, and the file, have all that was shown."""
    status(page, "interrupted")
    expect(page.locator(".st-key-live_text")).to_have_count(0, timeout=PATIENCE)
    # The page is drawn in several steps.
    after = page_eventually(page, lambda: has_all(page, lulu, session_id, before))
    assert after.events[: len(before.events)] == before.events
    partial = rows(
        lulu,
        "SELECT count(*) FROM conversation_events WHERE session_id = ? AND json_extract(payload, '$.partial')",
        session_id,
    )
    assert partial == [(1,)]
    assert rows(lulu, "SELECT count(*) FROM live_text") == [(0,)]
    assert rows(lulu, "PRAGMA integrity_check") == [("ok",)]


def nobody_of(processes: list[psutil.Process]) -> bool:
    """Whether none of them can do anything any more; a zombie only waits to be counted."""
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.mark.timeout(600)
@pytest.mark.scaled
def test_kill_in_mid_stream_loses_nothing_shown(server: NewServer, viewer: Viewer, tmp_path: Path) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "1", **as_installed(tmp_path)})
    page = viewer.page

    for moment in _MOMENTS[-KILLS_OF_THE_DEMO:]:
        session_id = start_session(page, lulu.url, "Tell me a story")
        wait_for_live_text(page, moment)
        before = look(page, lulu, session_id)
        lulu.kill9()
        lulu.start()
        assert_all_is_there(page, lulu, session_id, before)
        send(page, "/help")
        status(page, "completed")

    assert rows(lulu, "SELECT count(*) FROM sessions WHERE status = 'completed'") == [(KILLS_OF_THE_DEMO,)]
    assert "Traceback" not in lulu.log


@pytest.mark.timeout(600)
@pytest.mark.long
def test_kill_leaves_no_claude_code_behind_and_it_can_go_on(
    server: NewServer, viewer: Viewer, messages_api: MessagesApi, tmp_path: Path
) -> None:
    lulu = server(env={"LULU_AGENT": "claude", **messages_api.environment, **as_installed(tmp_path)})
    page = viewer.page

    for moment in _MOMENTS[1 : KILLS_OF_CLAUDE + 1]:
        session_id = start_session(page, lulu.url, "SCN:slow WORDS=9000")
        wait_for_live_text(page, moment)
        agents = process_tree(lulu.pid)[1:]
        before = look(page, lulu, session_id)
        lulu.kill9()
        lulu.start()
        eventually(partial(nobody_of, agents), retry_on=(psutil.NoSuchProcess,))
        assert_all_is_there(page, lulu, session_id, before)
        assert agents != []
        send(page, "Go on.")
        expect(page.locator(".st-key-transcript").get_by_text("The scripted answer.").first).to_be_visible(
            timeout=PATIENCE
        )
        status(page, "completed")

    assert "Traceback" not in lulu.log


@pytest.mark.parametrize("signal_number", keep_short(1, signal.SIGTERM, signal.SIGINT))
def test_asked_to_end_it_ends_clean_with_open_sockets_and_agents(
    server: NewServer,
    new_viewer: Callable[..., Viewer],
    messages_api: MessagesApi,
    tmp_path: Path,
    signal_number: signal.Signals,
) -> None:
    lulu = server(env={"LULU_AGENT": "claude", **messages_api.environment, **as_installed(tmp_path)})
    one, other = new_viewer(), new_viewer()
    streaming = start_session(one.page, lulu.url, "SCN:slow WORDS=9000")
    silent = start_session(other.page, lulu.url, "SCN:stall")
    wait_for_live_text(one.page, 40)
    wait_for_live_text(other.page, 40)
    before = look(one.page, lulu, streaming)
    processes = process_tree(lulu.pid)

    lulu.terminate(signal_number=signal_number)

    assert len(processes) > 2
    assert eventually(partial(nobody_of, processes), retry_on=(psutil.NoSuchProcess,))
    assert "Traceback" not in lulu.log
    assert rows(lulu, "PRAGMA integrity_check") == [("ok",)]
    found = rows(lulu, "SELECT status FROM sessions WHERE id IN (?, ?)", streaming, silent)
    assert found == [("interrupted",), ("interrupted",)]
    lulu.start()
    status(one.page, "interrupted")
    page_eventually(one.page, lambda: has_all(one.page, lulu, streaming, before))
