"""A newcomer's first minute, in a real browser: start, prompt, answer, reload, a second viewer, stop the server."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually
from tests.support import process_tree

#: How long a page or a demo session may take here (milliseconds).
PATIENCE = 60_000


def start_session(page: Page, url: str, prompt: str) -> None:
    page.goto(url)
    box = page.locator(".st-key-prompt textarea")
    box.fill(prompt, timeout=PATIENCE)
    box.press("Enter")
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)


def status(page: Page, word: str) -> Locator:
    return page.locator(".st-key-session_header").get_by_text(word)


def test_first_prompt_is_answered_live_and_survives_a_reload(server: NewServer, viewer: Viewer) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "10"})
    page = viewer.page

    start_session(page, lulu.url, "Tell me a story")
    transcript = page.locator(".st-key-transcript")
    messages = transcript.locator(".stChatMessage")
    end_of_turn = transcript.get_by_text("tokens")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(end_of_turn).to_be_visible(timeout=PATIENCE)
    told = messages.all_inner_texts()
    page.reload()
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(end_of_turn).to_be_visible(timeout=PATIENCE)

    assert "Tell me a story" in told[0]
    assert len("".join(told)) > 500
    assert messages.all_inner_texts() == told
    assert viewer.console_errors == []
    assert viewer.offsite_requests == []


def test_second_viewer_sees_the_answer_grow(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "3"})
    one, other = new_viewer(), new_viewer()

    start_session(one.page, lulu.url, "Tell me a story")
    other.page.goto(one.page.url)
    expect(status(other.page, "running")).to_be_visible(timeout=PATIENCE)
    expect(status(other.page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(status(one.page, "completed")).to_be_visible(timeout=PATIENCE)

    for viewer in (one, other):
        expect(viewer.page.locator(".st-key-transcript").get_by_text("tokens")).to_be_visible(timeout=PATIENCE)

    def texts() -> list[str]:
        return [viewer.page.locator(".st-key-transcript").inner_text() for viewer in (one, other)]

    # A turn that settles is in a page twice until its run ends.
    page_eventually(one.page, lambda: len(set(texts())) == 1)


def test_server_ends_in_time_while_somebody_looks_and_an_agent_works(server: NewServer, viewer: Viewer) -> None:
    lulu = server()
    start_session(viewer.page, lulu.url, "Tell me a story")
    expect(status(viewer.page, "running")).to_be_visible(timeout=PATIENCE)
    pid = lulu.pid

    seconds = lulu.terminate()

    assert seconds < 10
    assert process_tree(pid) == []
    assert lulu.log.count(f"Lulu is ready: {lulu.url}/login?t=") == 1
