"""The question about a folder, on Home, on a draft's page, in a session and in the Inbox; and the list in Settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lulu import runtime
from lulu.model.commands import SendPrompt, StartSession, TrustFolder
from lulu.model.sessions import Launch, SessionId, SessionStatus, new_session_id
from lulu.runtime import Runtime
from lulu.settings import Settings
from tests.support import eventually
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import text_of

ASKS = "Do you trust this folder?"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder that brings a hook and an allow rule."""
    bring(tmp_path / "work", "true")
    return tmp_path / "work"


@pytest.fixture
def lulu(work: Path, tmp_path: Path) -> Iterator[Runtime]:
    """A Lulu whose Claude Code ends at once."""
    cli = tmp_path / "claude"
    cli.write_text("#!/bin/sh\nexit 1\n")
    cli.chmod(0o755)
    settings = Settings(data_dir=tmp_path / "data", agent="claude", working_directory=work, claude_cli_path=cli)
    yield runtime.start(settings)
    runtime.stop()


def bring(folder: Path, command: str) -> None:
    (folder / ".claude").mkdir(exist_ok=True)
    hooks = {"PreToolUse": [{"hooks": [{"type": "command", "command": command}]}]}
    settings = {"hooks": hooks, "permissions": {"allow": ["Bash(rm *)", ":red[no]"]}}
    (folder / ".claude" / "settings.json").write_text(json.dumps(settings))


def send(app: AppTest, prompt: str = "Do it") -> AppTest:
    return app.chat_input(key="prompt").set_value(prompt).run()


def waiting(lulu: Runtime, work: Path) -> SessionId:
    """A session whose first prompt waits for an answer."""
    session_id = new_session_id()
    launch = Launch(prompt="Do it", working_directory=str(work), agent="claude")
    lulu.store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))
    eventually(lambda: lulu.store.folders.question(session_id))
    return session_id


def was_started(lulu: Runtime, session_id: SessionId) -> bool:
    return lulu.store.sessions.get(session_id).known_status is SessionStatus.FAILED


def test_home_says_what_the_folder_brings_before_anything_is_sent(open_page: OpenPage) -> None:
    said = text_of(open_page())

    assert ASKS in said
    assert "hooks (PreToolUse)" in said
    assert r"\:red\[no\]" in said


@pytest.mark.parametrize("trusted", [True, False])
def test_a_start_in_such_a_folder_waits_for_the_answer(
    open_page: OpenPage, lulu: Runtime, work: Path, trusted: bool
) -> None:
    app = send(open_page())
    (draft,) = lulu.store.sessions.latest()
    assert draft.known_status is SessionStatus.DRAFT

    app.button(key="trust_start" if trusted else "without_start").click().run()

    eventually(lambda: was_started(lulu, draft.id))
    answer = lulu.store.folders.answers()[str(work)]
    assert (answer.trusted, answer.answered_by) == (trusted, OWNER.name)
    assert [row["what"] for row in lulu.store.commands.latest_actions(limit=9)].count("trust_folder") == 1
    assert ASKS not in text_of(open_page())


def test_cancel_sends_nothing_and_gives_the_prompt_back(open_page: OpenPage, lulu: Runtime) -> None:
    app = send(open_page(), "Do it")

    app.button(key="cancel_start").click().run()

    assert app.chat_input(key="prompt").proto.value == "Do it"
    assert lulu.store.sessions.latest() == []
    assert lulu.store.folders.answers() == {}


def test_the_answer_is_for_what_was_shown(open_page: OpenPage, lulu: Runtime, work: Path) -> None:
    app = send(open_page())
    (draft,) = lulu.store.sessions.latest()
    bring(work, "something else")

    app.button(key="trust_start").click().run()

    question = eventually(lambda: lulu.store.folders.question(draft.id))
    assert [one.changes for one in question.asked] == [["changed: .claude/settings.json"]]
    assert not was_started(lulu, draft.id)


def test_a_draft_is_asked_about_on_its_own_page(open_page: OpenPage, lulu: Runtime) -> None:
    app = open_page()
    app.toggle(key="as_draft").set_value(True)
    send(app)
    (draft,) = lulu.store.sessions.latest()
    app = open_page("session", id=draft.id)

    app.button(key=f"launch_{draft.id}").click().run()
    assert ASKS in text_of(app)
    app.button(key="cancel_start").click().run()
    assert lulu.store.sessions.get(draft.id).known_status is SessionStatus.DRAFT
    app.button(key=f"launch_{draft.id}").click().run()
    app.button(key="without_start").click().run()

    eventually(lambda: was_started(lulu, draft.id))


@pytest.mark.parametrize("page", ["inbox", "session"])
def test_a_session_that_waits_is_answered_there_and_in_the_inbox(
    open_page: OpenPage, lulu: Runtime, work: Path, page: str
) -> None:
    session_id = waiting(lulu, work)
    app = open_page(page, id=session_id)
    assert ASKS in text_of(app)

    app.button(key=f"without_{session_id}").click().run()

    eventually(lambda: was_started(lulu, session_id))
    assert ASKS not in text_of(open_page("inbox"))


def test_the_inbox_says_what_has_changed(open_page: OpenPage, lulu: Runtime, work: Path) -> None:
    session_id = waiting(lulu, work)
    app = open_page("inbox")
    app.button(key=f"trust_{session_id}").click().run()
    eventually(lambda: was_started(lulu, session_id))
    bring(work, "another")

    lulu.store.commands.submit(SendPrompt(actor=OWNER, session_id=session_id, text="More"))

    eventually(lambda: lulu.store.folders.question(session_id))
    assert lulu.store.sessions.get(session_id).known_status is SessionStatus.WAITING
    said = text_of(open_page("inbox"))
    assert "has changed" in said
    assert "changed: .claude/settings.json" in said


def test_an_answer_is_taken_back_in_the_settings(open_page: OpenPage, lulu: Runtime, work: Path) -> None:
    lulu.store.commands.submit(TrustFolder(actor=OWNER, folder=str(work), trusted=False))
    app = open_page("settings")

    app.button(key="forget_folder_0").click().run()
    assert lulu.store.folders.answers() == {}


def test_a_folder_that_cannot_be_read_whole_cannot_be_trusted(
    open_page: OpenPage, lulu: Runtime, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lulu.trust.folder_files.MAX_FILES", 0)
    app = send(open_page())

    assert app.button(key="trust_start").disabled
    assert not app.button(key="without_start").disabled


def test_the_demo_is_asked_nothing(open_page: OpenPage, lulu: Runtime, work: Path) -> None:
    runtime.stop()
    runtime.start(Settings(data_dir=lulu.settings.data_dir, agent="demo", working_directory=work))

    app = send(open_page(), "Tell me a story")

    assert ASKS not in text_of(app)
    (session,) = runtime.current().store.sessions.latest()
    assert session.known_status is not SessionStatus.DRAFT
