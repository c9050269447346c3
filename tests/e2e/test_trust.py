"""A folder that brings files on which Claude Code acts, in a real browser: the question, its three answers, and what
becomes of a prompt that waits for one. Claude Code is real, its API is scripted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.prompts import PATIENCE, box, send, status
from tests.messages_api import MessagesApi
from tests.support import LuluServer

ASKS, CHANGED = "Do you trust this folder?", "What this folder brings has changed"
TRUST, WITHOUT, CANCEL = "Trust and start", "Start without them", "Cancel"
PROMPT = "SCN:default look at this\nfolder,  please"


@pytest.fixture
def lulu(server: NewServer) -> Iterator[LuluServer]:
    """A Lulu whose folder brings a hook that leaves a file, and an MCP server."""
    with MessagesApi() as api:
        lulu = server(env={"LULU_AGENT": "claude", **api.environment}, start=False)
        bring(lulu, "acted")
        (lulu.work_dir / ".mcp.json").write_text('{"mcpServers": {"db": {"command": "true"}}}')
        lulu.start()
        yield lulu


def bring(lulu: LuluServer, name: str) -> None:
    hook = {"type": "command", "command": f"touch {lulu.work_dir.parent / name}"}
    path = lulu.work_dir / ".claude" / "settings.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"hooks": {"UserPromptSubmit": [{"hooks": [hook]}]}}))


def has_acted(lulu: LuluServer, name: str = "acted") -> bool:
    return Path(lulu.work_dir.parent / name).exists()


def question(page: Page) -> Locator:
    return page.locator(".st-key-trust")


def press(page: Page, answer: str) -> None:
    question(page).get_by_role("button", name=answer).click(timeout=PATIENCE)


@pytest.mark.parametrize(("answer", "acts"), [(TRUST, True), (WITHOUT, False)])
@pytest.mark.long
def test_a_prompt_waits_for_an_answer_that_holds_until_it_is_taken_back(
    lulu: LuluServer, viewer: Viewer, answer: str, acts: bool
) -> None:
    page = viewer.page
    page.goto(lulu.url)
    # What stands there before anything is sent has no answers yet.
    expect(question(page)).to_contain_text(ASKS, timeout=PATIENCE)
    send(page, PROMPT)
    for brought in ("hooks (UserPromptSubmit)", "MCP servers (db)", "folder, please"):
        expect(question(page)).to_contain_text(brought, timeout=PATIENCE)
    press(page, answer)
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    assert has_acted(lulu) is acts

    # The same folder asks nothing more.
    send(page, "SCN:default again")
    expect(page.locator(".st-key-transcript").get_by_text("SCN:default again").first).to_be_visible(timeout=PATIENCE)
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    session = page.url

    page.goto(f"{lulu.url}/settings")
    page.get_by_role("button", name="Take back").click(timeout=PATIENCE)
    expect(page.get_by_text("not trusted: asked at the next prompt")).to_be_visible(timeout=PATIENCE)
    page.goto(session)
    send(page, "SCN:default once more")
    expect(question(page)).to_contain_text(ASKS, timeout=PATIENCE)
    assert viewer.console_errors == []


def test_cancel_at_the_start_sends_nothing_and_gives_the_prompt_back(lulu: LuluServer, page: Page) -> None:
    page.goto(lulu.url)
    send(page, PROMPT)

    press(page, CANCEL)

    expect(box(page)).to_have_value(PROMPT, timeout=PATIENCE)
    expect(page.locator(".st-key-session_list a")).to_have_count(0)
    # A look elsewhere in the middle of the question: the prompt is a draft, and asks again there.
    box(page).press("Enter")
    expect(question(page).get_by_role("button", name=CANCEL)).to_be_visible(timeout=PATIENCE)
    page.reload()
    page.locator(".st-key-session_list a").click(timeout=PATIENCE)
    page.get_by_role("button", name="Start", exact=True).click(timeout=PATIENCE)
    press(page, WITHOUT)
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".st-key-transcript").get_by_text("look at this").first).to_be_visible()
    assert not has_acted(lulu)


@pytest.mark.long
def test_a_change_lets_the_prompt_wait_in_every_tab_and_cancel_keeps_it(
    lulu: LuluServer, new_viewer: Callable[..., Viewer]
) -> None:
    page, phone = new_viewer().page, new_viewer(viewport={"width": 390, "height": 844}).page
    page.goto(lulu.url)
    send(page, PROMPT)
    expect(question(page).get_by_role("button", name=TRUST)).to_be_visible(timeout=PATIENCE)
    bring(lulu, "changed")
    press(page, TRUST)
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)
    expect(question(page)).to_contain_text("changed: .claude/settings.json", timeout=PATIENCE)
    phone.goto(page.url)
    expect(question(phone)).to_contain_text(CHANGED, timeout=PATIENCE)
    waiting = phone.locator("[class*='st-key-queued_']")
    expect(waiting).to_contain_text("look at this", timeout=PATIENCE)

    press(phone, CANCEL)

    for one in (page, phone):
        expect(question(one)).to_be_hidden(timeout=PATIENCE)
        expect(one.get_by_text("1 prompt is on hold")).to_be_visible(timeout=PATIENCE)
        expect(one.locator("[class*='st-key-queued_']")).to_contain_text("look at this", timeout=PATIENCE)
    expect(status(page, "interrupted")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Send", exact=True).click()
    press(page, TRUST)
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(question(phone)).to_be_hidden(timeout=PATIENCE)
    assert (has_acted(lulu), has_acted(lulu, "changed")) == (False, True)
