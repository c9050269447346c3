"""Stop, wherever the real Claude Code is: in the stream, in a tool, in a request, silent, deaf, or not even started."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from lulu import runtime
from lulu.model.events import Error, Text
from lulu.model.sessions import SessionId, SessionStatus
from lulu.transcript import turns as transcript
from tests.agent import stubborn as wrapper
from tests.agent.claude_driver import Claude, bundled_cli, command_of, has_prompt, is_alive, tools_of
from tests.support import eventually

Wait = Callable[[Claude, SessionId], object]

#: A prompt, what to wait for before the stop, and the log of its turn.
PLACES: list[tuple[str, Wait, str]] = [
    ("SCN:slow", lambda claude, one: claude.says(one, "word5"), "user text note result"),
    ("SCN:think", lambda claude, one: claude.says(one, "thought5"), "user note thinking result"),
    ("SCN:sleep", lambda claude, one: tools_of(claude.process(one)), "user Bash failed note result"),
    ("SCN:hang", lambda claude, one: claude.is_asked("SCN:hang"), "user note result"),
    ("SCN:stall", lambda claude, one: claude.says(one, "stall5"), "user text note result"),
]


def test_stop_ends_the_turn_wherever_it_is_and_keeps_the_session(claude: Claude) -> None:
    claude.allow("Bash(python3 *)")
    claude.start()
    session_id = claude.launch("SCN:default hello")
    claude.ended(session_id)
    process = claude.process(session_id)

    logs = []
    for turns, (prompt, wait, _) in enumerate(PLACES, start=1):
        before = len(claude.outline(session_id))
        claude.send(session_id, prompt)
        eventually(partial(wait, claude, session_id), timeout=30)
        claude.stop(session_id)
        claude.ended(session_id, turns=turns + 1)
        assert claude.session(session_id).status == SessionStatus.INTERRUPTED
        logs.append(claude.outline(session_id)[before:].strip())

    calls = [
        call for turn in transcript.turns(claude.lulu.store.events.of_session(session_id)) for call in turn.calls()
    ]
    assert logs == [log for _, _, log in PLACES]
    assert [(call.is_stopped, call.failed) for call in calls] == [(True, False)]
    assert tools_of(process) == []
    assert not claude.of(session_id, Error)
    assert claude.notes(session_id).count("stopped") == 0
    assert claude.turn(session_id, "SCN:default still there?").status == SessionStatus.COMPLETED
    assert claude.process(session_id) == process


@pytest.mark.long
def test_stop_keeps_what_was_said_in_log_and_conversation(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:slow")
    seen = claude.says(session_id, "word5")

    claude.stop(session_id)
    claude.ended(session_id)
    claude.turn(session_id, "SCN:default go on")

    text, _ = claude.of(session_id, Text)
    [result, _] = claude.results(session_id)
    [assistant] = [m for m in claude.requests(session_id)[-1].body["messages"] if m["role"] == "assistant"]
    assert text.content.startswith(seen)
    assert (result.is_error, result.terminal_reason) == (True, "aborted_streaming")
    assert text.content in str(assistant["content"])


@pytest.mark.long
def test_a_stalled_stream_is_told_once_and_left_alone(claude: Claude) -> None:
    claude.start(stall_seconds=5)

    session_id = claude.launch("SCN:stall")
    claude.note(session_id, "stalled")
    other = claude.launch("SCN:default meanwhile")
    claude.ended(other)

    assert claude.notes(session_id).count("stalled") == 1
    assert claude.session(session_id).status == SessionStatus.RUNNING
    assert claude.process(session_id).is_running()
    assert "stalled" not in claude.notes(other)


def test_stop_before_the_first_sign_of_life_is_heard(claude: Claude) -> None:
    """Right after the launch, when the process is there, and when the prompt is on its way."""
    claude.start(max_starting=3)
    at_once, connected, begun = (claude.launch(f"SCN:slow number {number}") for number in range(3))

    claude.stop(at_once)
    claude.process(connected)
    claude.stop(connected)
    claude.note(begun, "init")
    claude.stop(begun)

    for session_id in (at_once, connected, begun):
        claude.has(session_id, SessionStatus.INTERRUPTED)
        assert not claude.of(session_id, Error)
        assert claude.turn(session_id, "SCN:default and now?").status == SessionStatus.COMPLETED
    # A prompt that nobody had taken yet is on hold, and follows the new one.
    assert claude.texts(at_once)[0] == "The scripted answer."


def test_a_start_that_hangs_can_be_stopped_and_tried_again(claude: Claude) -> None:
    sleeper = claude.folder / "hangs"
    program = claude.executable(f"[ -e '{sleeper}' ] && exec sleep 300\nexec '{bundled_cli()}' \"$@\"")
    sleeper.touch()
    claude.start(claude_cli_path=program)
    session_id = claude.launch("SCN:default hello")
    [process] = eventually(lambda: psutil.Process().children())

    claude.stop(session_id)
    claude.has(session_id, SessionStatus.INTERRUPTED)
    sleeper.unlink()
    session = claude.turn(session_id, "SCN:default again")

    assert session.status == SessionStatus.COMPLETED
    assert claude.texts(session_id) == ["The scripted answer."]
    eventually(lambda: not is_alive(process))


@pytest.mark.long
def test_stop_goes_on_to_force_and_says_so(claude: Claude) -> None:
    for name in ("deaf", "stubborn"):
        (claude.folder / name).mkdir()
    claude.start(claude_cli_path=_wrapper(claude))
    deaf, stubborn = (
        claude.launch("SCN:slow WORDS=2000", folder=claude.folder / name) for name in ("deaf", "stubborn")
    )
    shown = {session_id: claude.says(session_id, "word5") for session_id in (deaf, stubborn)}
    processes = psutil.Process().children(recursive=True)

    for session_id in shown:
        claude.stop(session_id)
    sessions = [claude.has(session_id, SessionStatus.INTERRUPTED) for session_id in shown]

    assert claude.note(deaf, "stopped").data == {"by": "terminate"}
    assert claude.note(stubborn, "stopped").data == {"by": "kill"}
    assert [session.agent_pid for session in sessions] == [None, None]
    assert all(claude.texts(session_id)[0].startswith(text) for session_id, text in shown.items())
    assert not claude.of(deaf, Error) + claude.of(stubborn, Error)
    eventually(lambda: not any(is_alive(process) for process in processes))


@pytest.mark.long
def test_shutdown_ends_every_agent(claude: Claude) -> None:
    claude.allow("Bash")
    work = claude.folder / "stubborn"
    work.mkdir()
    claude.start(claude_cli_path=_wrapper(claude))
    writes = claude.launch("SCN:slow WORDS=2000")
    works = claude.launch("SCN:sleep SECONDS=60")
    resists = claude.launch("SCN:slow WORDS=2000", folder=work)
    rests = claude.launch("SCN:background SECONDS=60")
    shown = {session_id: claude.says(session_id, "word5") for session_id in (writes, resists)}
    eventually(lambda: [one for one in tools_of(claude.process(works)) if "time.sleep" in command_of(one)])
    claude.ended(rests)
    eventually(lambda: sum("time.sleep(60)" in command_of(one) for one in psutil.Process().children(True)) >= 2)
    processes = psutil.Process().children(recursive=True)

    runtime.stop()

    assert [process for process in processes if is_alive(process)] == []
    claude.start()
    sessions = [claude.session(session_id) for session_id in (writes, works, resists, rests)]
    assert [session.status for session in sessions] == ["interrupted"] * 3 + ["completed"]
    assert all(claude.texts(session_id)[0].startswith(text) for session_id, text in shown.items())
    assert claude.turn(resists, "SCN:default go on").status == SessionStatus.COMPLETED
    assert has_prompt(claude.requests(resists)[-1], "SCN:slow")


def _wrapper(claude: Claude) -> Path:
    return claude.executable(f"exec '{sys.executable}' '{wrapper.__file__}' '{bundled_cli()}' \"$@\"")
