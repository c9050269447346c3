"""How turns and processes end with the real Claude Code: whatever it says or does not say, and whoever ends it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from lulu.errors import Conflict
from lulu.model.commands import Delete, SendNow
from lulu.model.events import Error, Result, User
from lulu.model.sessions import SessionId, SessionStatus
from lulu.transcript import turns as transcript
from tests.agent import tampering
from tests.agent.claude_driver import Claude, bundled_cli, command_of, is_alive, tools_of
from tests.support import eventually
from tests.tiers import keep_short

Folder = Callable[[str], Path]


@pytest.fixture
def folder(claude: Claude) -> Folder:
    """A folder of this name, in which Claude Code behaves as the name says."""

    def make(name: str) -> Path:
        (claude.folder / name).mkdir()
        return claude.folder / name

    return make


def answered(claude: Claude, session_id: SessionId) -> bool:
    return "The scripted answer." in claude.texts(session_id)


def tampered(claude: Claude) -> Path:
    return claude.executable(f"exec '{sys.executable}' '{tampering.__file__}' '{bundled_cli()}' \"$@\"")


@pytest.mark.long
def test_nothing_is_sent_to_a_process_that_was_told_to_end(claude: Claude, folder: Folder) -> None:
    """The turn's result comes after SIGTERM and before the process is gone."""
    claude.start(claude_cli_path=tampered(claude))
    where = folder("late")
    now, typed = (claude.launch("SCN:slow WORDS=2000", folder=where) for _ in range(2))
    for session_id in (now, typed):
        claude.says(session_id, "word5")

    claude.do(SendNow, now, text="SCN:default now")
    claude.stop(typed)
    claude.has(typed, SessionStatus.INTERRUPTED)
    claude.send(typed, "SCN:default typed")

    for session_id in (now, typed):
        eventually(partial(answered, claude, session_id), timeout=60)
        claude.has(session_id, SessionStatus.COMPLETED)
        assert not claude.of(session_id, Error)
        assert claude.of_subtype(session_id, "stopped") == [{"by": "terminate"}]
    assert "failed" not in claude.commands(typed)[1:]


def test_idle_ends_a_turn_whose_result_never_comes(claude: Claude, folder: Folder) -> None:
    claude.start(claude_cli_path=tampered(claude), result_seconds=0.3)
    session_id = claude.launch("SCN:default hello", folder=folder("mute"))

    claude.has(session_id, SessionStatus.FAILED)

    [error] = claude.of(session_id, Error)
    assert "did not say how it ended" in error.message
    assert claude.texts(session_id) == ["The scripted answer."]
    # The next prompt knows what was said, and a stop is a stop there, too.
    claude.send_and_fail(session_id, "SCN:default again")
    assert claude.times_asked(session_id, "hello") == 1
    claude.send(session_id, "SCN:slow WORDS=2000")
    claude.says(session_id, "word5")
    claude.stop(session_id)
    claude.has(session_id, SessionStatus.INTERRUPTED)
    assert len(claude.of(session_id, Error)) == 2


def test_a_result_with_words_for_figures_ends_its_turn(claude: Claude, folder: Folder) -> None:
    claude.start(claude_cli_path=tampered(claude), result_seconds=60)

    session_id = claude.launch("SCN:default hello", folder=folder("odd"))

    assert claude.has(session_id, SessionStatus.COMPLETED).num_turns in (0, None)
    assert len(claude.of(session_id, Result)) == 1


@pytest.mark.long
def test_stop_before_the_result_of_a_turn_with_sub_agents_is_an_interruption(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()
    session_id = claude.launch("SCN:agent JOB=sleep SECONDS=60")
    claude.note(session_id, "task_started")

    claude.stop(session_id)

    claude.has(session_id, SessionStatus.INTERRUPTED)
    assert claude.turn(session_id, "SCN:default again").status == SessionStatus.COMPLETED


def in_background(claude: Claude) -> tuple[SessionId, psutil.Process, list[psutil.Process]]:
    """A session whose turn is over and whose command goes on; its process, and what that runs."""
    claude.allow("Bash")
    claude.start()
    session_id = claude.launch("SCN:background SECONDS=60")
    claude.ended(session_id)
    process = claude.process(session_id)
    tools = eventually(lambda: [one for one in tools_of(process) if "python3" in command_of(one)], timeout=60)
    return session_id, process, tools


@pytest.mark.long
def test_a_deleted_session_ends_its_process_and_what_runs_in_the_background(claude: Claude) -> None:
    session_id, process, tools = in_background(claude)
    idle, at_work = claude.launch("SCN:default hello"), claude.launch("SCN:slow WORDS=2000")
    claude.ended(idle)
    idle_process = claude.process(idle)
    claude.says(at_work, "word5")
    asked = len(claude.requests(session_id))
    conversation = claude.session(session_id).session_id_claude

    for one in (session_id, idle):
        claude.do(Delete, one)
    with pytest.raises(Conflict):
        claude.do(Delete, at_work)

    eventually(lambda: not any(map(is_alive, [process, idle_process, *tools])), timeout=60)
    assert len([request for request in claude.api.requests if request.session_id == conversation]) == asked
    assert claude.session(at_work).is_live


@pytest.mark.parametrize("prompt", keep_short(1, "SCN:background SECONDS=60", "SCN:sleep SECONDS=60"))
def test_tools_do_not_outlive_a_process_that_was_killed(claude: Claude, prompt: str) -> None:
    claude.allow("Bash")
    claude.start()
    session_id = claude.launch(prompt)
    process = claude.process(session_id)
    tools = eventually(lambda: [one for one in tools_of(process) if "sleep" in command_of(one)], timeout=60)

    process.kill()

    eventually(lambda: not any(map(is_alive, tools)), timeout=60)


@pytest.mark.long
def test_a_command_that_a_restart_cut_off_is_told_and_the_next_answer_belongs_to_its_prompt(claude: Claude) -> None:
    session_id, _, _ = in_background(claude)

    claude.start()
    [told] = claude.of_subtype(session_id, "background_stopped")
    claude.start()
    claude.send(session_id, "SCN:default and now?")
    eventually(lambda: "The scripted answer." in claude.texts(session_id)[-1:], timeout=60)
    claude.has(session_id, SessionStatus.COMPLETED)

    assert [task["description"] for task in told["tasks"]] == ["Count"]
    assert claude.notes(session_id).count("background_stopped") == 1
    turns = transcript.turns(claude.lulu.store.events.of_session(session_id))
    assert [turn.prompt.event.text for turn in turns if turn.prompt and isinstance(turn.prompt.event, User)] == [
        "SCN:background SECONDS=60",
        "SCN:default and now?",
    ]
    last = [stored.event for stored in turns[-1].events()]
    assert "The scripted answer." in str(last)
    assert turns[-1].prompt is not None
