"""A newcomer's first minute, in a real browser: start, prompt, answer, reload, a second viewer, stop the server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually, steady
from tests.e2e.prompts import PATIENCE, start, status
from tests.support import process_tree


def test_first_prompt_is_answered_live_and_survives_a_reload(server: NewServer, viewer: Viewer) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "10"})
    page = viewer.page

    start(page, lulu.url, "Tell me a story")
    transcript = page.locator(".st-key-transcript")
    messages = transcript.locator(".stChatMessage")
    # A turn that settles is in a page twice until its run ends.
    end_of_turn = transcript.get_by_text("tokens").last
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(end_of_turn).to_be_visible(timeout=PATIENCE)
    told = steady(page, messages.all_inner_texts)
    page.reload()
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(end_of_turn).to_be_visible(timeout=PATIENCE)

    assert "Tell me a story" in told[0]
    assert len("".join(told)) > 500
    page_eventually(page, lambda: messages.all_inner_texts() == told)
    assert viewer.console_errors == []
    assert viewer.offsite_requests == []


@pytest.mark.long
def test_second_viewer_sees_the_answer_grow(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "1"})
    one, other = new_viewer(), new_viewer()

    start(one.page, lulu.url, "Tell me a story")
    other.page.goto(one.page.url)
    expect(status(other.page, "running")).to_be_visible(timeout=PATIENCE)
    expect(status(other.page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(status(one.page, "completed")).to_be_visible(timeout=PATIENCE)

    for viewer in (one, other):
        expect(viewer.page.locator(".st-key-transcript").get_by_text("tokens").last).to_be_visible(timeout=PATIENCE)

    def texts() -> list[str]:
        return [viewer.page.locator(".st-key-transcript").inner_text() for viewer in (one, other)]

    # A turn that settles is in a page twice until its run ends.
    page_eventually(one.page, lambda: len(set(texts())) == 1)


@pytest.mark.long
def test_server_ends_while_somebody_looks_and_an_agent_works(server: NewServer, viewer: Viewer) -> None:
    lulu = server()
    start(viewer.page, lulu.url, "Tell me a story")
    expect(status(viewer.page, "running")).to_be_visible(timeout=PATIENCE)
    pid = lulu.pid

    lulu.terminate()

    assert process_tree(pid) == []
    assert lulu.log.count(f"Lulu is ready: {lulu.url}/login?t=") == 1
