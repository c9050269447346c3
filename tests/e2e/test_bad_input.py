"""What people type, what other programs write and what a disk does: each is told on the page, nothing is lost."""

from __future__ import annotations

import json
import os
import re
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from lulu.agent.demo.scripts.story import STORY
from lulu.errors import DatabaseInUse
from lulu.model.events import Text, ToolResult, ToolUse
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import Store
from tests.browser import Viewer
from tests.conftest import NewServer, SmallDisk
from tests.e2e.edge.driver import at_rest
from tests.e2e.prompts import PATIENCE, box, send
from tests.support import LuluServer, eventually
from tests.tiers import keep_short

MEGABYTE = 1_000_000
#: A page with a big block takes this many bytes to draw.
MOST_SENT = 2 * MEGABYTE

#: What stands behind ``/session?`` in an address that no session has.
NO_SESSIONS = [
    "",
    "id=",
    "id=7f1c9bb0-0000-4000-8000-000000000000",
    "id=" + quote("../x"),
    "id=" + quote("' OR 1=1--"),
    "id=" + "a" * 10_000,
    "id=%00",
    "id=abc%00def",
    "id=" + quote("<script>alert(1)</script>"),
    "id=" + quote("日本語 \u202e‮ 👩‍👩‍👧"),
    "id=%ff%fe",
    "id=one&id=two",
    "id=" + quote("![x](http://example.org/x.png)"),
]


@contextmanager
def filled(lulu: LuluServer) -> Iterator[Store]:
    """The store of a Lulu that does not run."""
    store = Store.open(lulu.database)
    yield store
    store.close()


def new_session(store: Store, *, prompt: str = "Show it", status: SessionStatus = SessionStatus.COMPLETED) -> SessionId:
    return store.sessions.insert(Launch(prompt=prompt, working_directory="/", agent="demo"), status=status)


def write(database: Path, sql: str, *values: object) -> None:
    """As another program would."""
    with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        connection.execute(sql, values)


def transcript(page: Page) -> Locator:
    return page.locator(".st-key-transcript")


#: Whether the one prompt box holds this text. While a page is drawn anew there may be two for a moment.
HOLDS_PROMPT = """text => {
  const boxes = [...document.querySelectorAll(".st-key-prompt textarea")];
  return boxes.length === 1 && boxes[0].value === text;
}"""


def assert_quiet(lulu: LuluServer, viewer: Viewer) -> None:
    """No traceback, neither on the page nor in the terminal."""
    assert "Traceback" not in lulu.log
    assert viewer.page.locator("[data-testid=stException]").count() == 0
    assert viewer.console_errors == []
    assert viewer.offsite_requests == []


# ---- addresses and rows


@pytest.mark.long
def test_address_that_no_session_has_is_not_found(server: NewServer, viewer: Viewer) -> None:
    lulu = server()
    page = viewer.page
    said = set()

    for query in NO_SESSIONS:
        page.goto(f"{lulu.url}/session?{query}")
        expect(page.get_by_role("heading", name="Not found")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("Start a new session")).to_be_visible(timeout=PATIENCE)
        at_rest(page)
        said.add(page.locator("[data-testid=stMain]").inner_text())

    assert len(said) == 1
    assert_quiet(lulu, viewer)


@pytest.mark.long
def test_rows_of_another_program_are_drawn(server: NewServer, viewer: Viewer) -> None:
    lulu = server(start=False)
    with filled(lulu) as store:
        session_id = new_session(store, prompt="Strange rows")
        store.events.insert(session_id, Text(content="A row of our own."))
    insert = "INSERT INTO conversation_events (session_id, event_type, payload) VALUES (?, ?, ?)"
    for event_type, payload in [
        ("text", "this is { no JSON"),
        ("text", '{"content": 5}'),
        ("tool_use", "[]"),
        ("hologram", '{"depth": 3}'),
        ("", ""),
        ("result", b"\xff\x00\xfe"),
        ("user", "[" * 5_000),
    ]:
        write(lulu.database, insert, session_id, event_type, payload)
    write(lulu.database, "UPDATE sessions SET status = 'levitating', cost_usd = 'much', created_at = 'long ago'")
    lulu.start()
    viewer.sign_in(lulu)
    page = viewer.page

    page.goto(f"{lulu.url}/session?id={session_id}")

    expect(transcript(page).get_by_text("A row of our own.")).to_be_visible(timeout=PATIENCE)
    expect(transcript(page).get_by_text("unknown event")).to_have_count(7, timeout=PATIENCE)
    expect(page.locator(".st-key-session_header").get_by_text("levitating")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".st-key-session_list").get_by_text("levitating")).to_be_visible(timeout=PATIENCE)
    transcript(page).get_by_text("unknown event").first.click()
    expect(transcript(page).get_by_text("this is { no JSON")).to_be_visible(timeout=PATIENCE)
    assert_quiet(lulu, viewer)


@pytest.mark.long
def test_big_tool_result_opens_and_stays_on_the_server(server: NewServer, viewer: Viewer) -> None:
    lulu = server(start=False)
    line = "All work and no play makes a long line of output.\n"
    with filled(lulu) as store:
        session_id = new_session(store)
        other_id = new_session(store, prompt="Something small")
        store.events.insert(session_id, ToolUse(id="one", name="Bash", input={"command": "cat everything"}))
        store.events.insert(session_id, ToolResult(tool_use_id="one", content=line * (50 * MEGABYTE // len(line))))
        store.events.insert(session_id, Text(content="That was everything."))
        store.events.insert(other_id, Text(content="A short answer."))
    lulu.start()
    viewer.sign_in(lulu)
    page = viewer.page
    sent: list[int] = []

    def count(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: sent.append(len(frame)))

    page.on("websocket", count)
    page.goto(f"{lulu.url}/session?id={other_id}")
    expect(transcript(page).get_by_text("A short answer.")).to_be_visible(timeout=PATIENCE)
    page.locator(f".st-key-session_list a[href*='{session_id}']").click()
    expect(transcript(page).get_by_text("That was everything.")).to_be_visible(timeout=PATIENCE)
    transcript(page).get_by_text("cat everything").click()
    expect(transcript(page).get_by_text("Show all 50")).to_be_visible(timeout=PATIENCE)

    assert sum(sent) < MOST_SENT
    assert_quiet(lulu, viewer)


# ---- prompts and folders


@pytest.mark.long
def test_megabyte_prompt_is_kept_whole(server: NewServer, viewer: Viewer) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "0"})
    page = viewer.page
    prompt = "Tell me a story. " + "Once upon a time. " * (MEGABYTE // 18)

    page.goto(lulu.url)
    send(page, prompt)
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)
    expect(transcript(page).get_by_text("Show all 1 MB")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".st-key-session_header").get_by_text("completed")).to_be_visible(timeout=PATIENCE)

    with closing(sqlite3.connect(lulu.database)) as connection:
        [(payload,)] = connection.execute("SELECT payload FROM conversation_events WHERE event_type = 'user'")
    assert json.loads(payload)["text"] == prompt
    assert_quiet(lulu, viewer)


def test_empty_prompt_starts_nothing(server: NewServer, viewer: Viewer) -> None:
    lulu = server()
    page = viewer.page
    page.goto(lulu.url)

    for prompt in ("", "   ", "\n \u2003\n"):
        send(page, prompt)
    send(page, "/help")
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)

    expect(page.locator(".st-key-session_list a")).to_have_count(1, timeout=PATIENCE)
    assert_quiet(lulu, viewer)


@pytest.mark.long
def test_folder_that_cannot_be_used_is_told_and_the_prompt_stays(
    server: NewServer, viewer: Viewer, tmp_path: Path
) -> None:
    lulu = server()
    page = viewer.page
    (tmp_path / "a file").write_text("no folder")
    problems = {
        str(tmp_path / "nowhere"): "does not exist",
        str(tmp_path / "a file"): "is a file, not a folder",
        "somewhere/else": "is not an absolute path",
        "/" + "x" * 5_000: "cannot be used",
    }
    page.goto(lulu.url)

    for folder, problem in problems.items():
        choice = page.locator(".st-key-cwd input")
        choice.fill(folder, timeout=PATIENCE)
        choice.press("Enter")
        send(page, "Do something here")
        expect(page.get_by_text(problem)).to_be_visible(timeout=PATIENCE)
        page.wait_for_function(HOLDS_PROMPT, arg="Do something here", timeout=PATIENCE)
    # Refused once more, without a change.
    for _ in range(2):
        box(page).press("Enter")
        page.wait_for_function(HOLDS_PROMPT, arg="Do something here", timeout=PATIENCE)

    expect(page.locator(".st-key-session_list a")).to_have_count(0)
    assert_quiet(lulu, viewer)


# ---- the file


@pytest.mark.long
def test_second_lulu_on_one_file_is_refused_and_names_the_first(server: NewServer) -> None:
    lulu = server()
    second = server(env={"LULU_DATA_DIR": str(lulu.data_dir)}, start=False)

    # It is not waited for: it goes on.
    with pytest.raises(DatabaseInUse, match=str(lulu.pid)):
        Store.open(lulu.database)
    code = second.launch().wait(timeout=60)

    assert code == 1
    assert f"process {lulu.pid}" in second.log
    assert "Traceback" not in second.log
    assert "Lulu is ready" not in second.log


@pytest.mark.parametrize("place", ["/proc/lulu", "/dev/null/lulu"])
def test_place_that_cannot_be_written_is_told_at_start(server: NewServer, place: str) -> None:
    lulu = server(env={"LULU_DATA_DIR": place}, start=False)

    code = lulu.launch().wait(timeout=60)

    assert code == 1
    assert "Lulu cannot start." in lulu.log
    assert place in lulu.log
    assert "Traceback" not in lulu.log


def test_a_base_path_is_refused_at_start(server: NewServer) -> None:
    lulu = server(env={"STREAMLIT_SERVER_BASE_URL_PATH": "lulu"}, start=False)

    code = lulu.launch().wait(timeout=60)

    assert code == 1
    assert "Lulu cannot start." in lulu.log
    assert "Leave that option out." in lulu.log
    assert "Traceback" not in lulu.log
    assert not lulu.database.exists()


def test_damaged_database_is_kept_and_told_on_the_page(server: NewServer, viewer: Viewer) -> None:
    lulu = server(start=False)
    with filled(lulu) as store:
        new_session(store)
    damaged = lulu.database.read_bytes()[:4096] + b"\x5a" * 40_000
    lulu.database.write_bytes(damaged)
    lulu.start()
    viewer.sign_in(lulu)
    page = viewer.page

    page.goto(lulu.url)

    expect(page.get_by_text("The database was damaged")).to_be_visible(timeout=PATIENCE)
    [kept] = lulu.data_dir.glob("lulu.db.corrupt-*Z")
    expect(page.get_by_text(kept.name)).to_be_visible(timeout=PATIENCE)
    assert kept.read_bytes() == damaged
    assert_quiet(lulu, viewer)


@contextmanager
def locked(lulu: LuluServer) -> Iterator[None]:
    """Another program holds the write lock, for 30 seconds."""
    with closing(sqlite3.connect(lulu.database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        until = time.monotonic() + 30
        yield
        eventually(lambda: time.monotonic() > until, timeout=31)
        connection.execute("ROLLBACK")


@contextmanager
def full(lulu: LuluServer) -> Iterator[None]:
    """The disk has no room left; where no test may mount one of its own, ``without_room`` stands for it."""
    if not lulu.data_dir.is_mount():
        with without_room(lulu):
            yield
        return
    filler = lulu.data_dir / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    yield
    filler.unlink()


@contextmanager
def without_room(lulu: LuluServer) -> Iterator[None]:
    """No file of this process may grow."""
    before = resource.prlimit(lulu.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(lulu.pid, resource.RLIMIT_FSIZE, (8_192, before[1]))
    yield
    resource.prlimit(lulu.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def moved_away(lulu: LuluServer) -> Iterator[None]:
    """Somebody tidied up."""
    elsewhere = lulu.database.with_name("tidied.db")
    os.rename(lulu.database, elsewhere)  # noqa: PTH104 (the file stays what it is)
    yield
    elsewhere.rename(lulu.database)


Trouble = Callable[[LuluServer], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("trouble", "told"),
    keep_short(
        1,
        (moved_away, "was moved, replaced or deleted"),
        (locked, "Another program has Lulu's database locked."),
        (without_room, "cannot be written"),
        (full, re.compile("The disk is full|cannot be written")),
    ),
)
def test_trouble_with_the_file_is_told_and_passes_by_itself(
    small_disk: SmallDisk, server: NewServer, viewer: Viewer, trouble: Trouble, told: str | re.Pattern[str]
) -> None:
    lulu = server(start=False)
    if trouble is full:
        small_disk(lulu.data_dir)
    lulu.start()
    viewer.sign_in(lulu)
    page = viewer.page
    page.goto(lulu.url)
    send(page, "Tell me a story")
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)
    expect(page.locator(".st-key-live_text").get_by_text("lighthouse").first).to_be_visible(timeout=PATIENCE)

    with trouble(lulu):
        expect(page.get_by_text(told)).to_be_visible(timeout=PATIENCE)
        expect(
            page.get_by_text("Everything shown is saved").or_(page.get_by_text("is saved when")).first
        ).to_be_visible()

    expect(page.get_by_text(told)).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(".st-key-session_header").get_by_text("completed")).to_be_visible(timeout=PATIENCE)
    with closing(sqlite3.connect(lulu.database)) as connection:
        [(payload,)] = connection.execute("SELECT payload FROM conversation_events WHERE event_type = 'text'")
    assert json.loads(payload)["content"] == STORY
    assert "Traceback" not in lulu.log
