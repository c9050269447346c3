"""What goes wrong around the real Claude Code is told, ends the turn, and leaves every session usable."""

from __future__ import annotations

import shutil
import signal

import pytest

from lulu.model.events import PROMPT_REFUSED, Error, Text
from lulu.model.sessions import SessionStatus
from tests.agent.claude_driver import Claude, bundled_cli, has_prompt, tools_of
from tests.support import eventually

#: A prompt, the error's code, and words in its message.
API_ERRORS = [
    ("SCN:http401", "authentication_failed", "401"),
    ("SCN:http400", "unknown", "400"),
    ("SCN:http404", "model_not_found", ""),
    ("SCN:http500", "server_error", "500"),
    ("SCN:http529", "server_error", ""),
    ("SCN:cut", "server_error", "dropped"),
    ("SCN:broken", "server_error", "mid-response"),
]


@pytest.mark.long
def test_api_errors_end_the_turn_and_the_same_process_goes_on(claude: Claude) -> None:
    claude.start(max_retries=0)
    session_id = claude.launch("SCN:default hello")
    claude.ended(session_id)
    process = claude.process(session_id)

    statuses = [claude.turn(session_id, prompt).status for prompt, _, _ in API_ERRORS]
    session = claude.turn(session_id, "SCN:default still there?")

    told = claude.of(session_id, Error)
    results = claude.results(session_id)[1:-1]
    assert statuses == ["failed"] * len(API_ERRORS)
    assert [error.code for error in told] == [code for _, code, _ in API_ERRORS]
    assert [word for error, (_, _, word) in zip(told, API_ERRORS, strict=True) if word not in error.message] == []
    assert {(result.is_error, result.terminal_reason) for result in results} == {(True, "api_error")}
    assert session.status == SessionStatus.COMPLETED
    assert claude.process(session_id) == process


def test_retries_are_shown_and_drop_what_a_failed_try_had_streamed(claude: Claude) -> None:
    claude.start(max_retries=3)

    session_id = claude.launch("SCN:http429-2")
    claude.ended(session_id)
    limited = claude.of_subtype(session_id, "retry")
    claude.send(session_id, "SCN:cut TIMES=1")
    shown = claude.watch_live(session_id, turns=2)

    retries = claude.of_subtype(session_id, "retry")[2:]
    [_, text] = claude.of(session_id, Text)
    assert [(retry["attempt"], retry["max_retries"], retry["error_status"]) for retry in limited] == [
        (1, 3, 429),
        (2, 3, 429),
    ]
    assert [retry["attempt"] for retry in retries] == [1]
    assert all(text.content.startswith(live) for live in shown), "a second try was added to the first"
    assert (text.partial, text.content.split()) == (False, [f"cut{number}" for number in range(50)])
    assert claude.lulu.store.events.live_text(session_id) is None
    assert not claude.of(session_id, Error)


@pytest.mark.long
def test_a_missing_or_broken_claude_code_is_told_and_can_be_mended(claude: Claude) -> None:
    path = claude.folder / "bin" / "claude"
    path.parent.mkdir()
    claude.start(claude_cli_path=path)
    session_id = claude.launch("SCN:default hello")

    claude.has(session_id, SessionStatus.FAILED)
    path.write_text("not a program")
    claude.send_and_fail(session_id, "again")
    path.write_text("#!/bin/sh\necho 'the licence has run out' >&2\nexit 3\n")
    path.chmod(0o755)
    claude.send_and_fail(session_id, "and again")
    path.unlink()
    path.symlink_to(bundled_cli())
    session = claude.turn(session_id, "SCN:default at last")

    missing, not_executable, broken = claude.of(session_id, Error)
    assert "LULU_CLAUDE_CLI_PATH" in (missing.next_step or "")
    assert str(path) in missing.message
    assert "Permission denied" in not_executable.message
    assert "exit code 3" in broken.message
    assert "the licence has run out" in (broken.detail or "")
    assert session.status == SessionStatus.COMPLETED
    assert has_prompt(claude.requests(session_id)[-1], "at last")


@pytest.mark.long
def test_a_folder_that_went_away_is_told_and_the_session_continues_when_it_is_back(claude: Claude) -> None:
    claude.start()
    folder = claude.folder / "passing"
    folder.mkdir()
    session_id = claude.launch("SCN:default hello", folder=folder)
    claude.ended(session_id)
    claude.start()
    shutil.rmtree(folder)

    claude.send_and_fail(session_id, "SCN:default gone")
    folder.mkdir()
    session = claude.turn(session_id, "SCN:default back")

    [error] = claude.of(session_id, Error)
    last = claude.requests(session_id)[-1]
    assert f"{folder} is gone" in error.message
    assert session.status == SessionStatus.COMPLETED
    assert [has_prompt(last, word) for word in ("hello", "gone", "back")] == [True, False, True]


def test_a_killed_process_fails_its_own_turn_with_its_last_words(claude: Claude) -> None:
    talkative = claude.executable(f"echo 'the disk makes a noise' >&2\nexec '{bundled_cli()}' \"$@\"")
    claude.start(claude_cli_path=talkative)
    killed, other = claude.launch("SCN:slow"), claude.launch("SCN:slow WORDS=200")
    seen = claude.says(killed, "word5")
    claude.says(other, "word5")

    claude.process(killed).kill()
    claude.has(killed, SessionStatus.FAILED)

    [error] = claude.of(killed, Error)
    [partial] = claude.of(killed, Text)
    assert "exit code -9" in error.message
    assert "the disk makes a noise" in (error.detail or "")
    assert partial.partial
    assert partial.content.startswith(seen)
    assert claude.session(killed).agent_pid is None
    assert claude.ended(other).status == SessionStatus.COMPLETED
    assert claude.turn(killed, "SCN:default are you back?").status == SessionStatus.COMPLETED
    assert has_prompt(claude.requests(killed)[-1], "SCN:slow")


@pytest.mark.long
def test_a_process_that_ends_in_a_tool_or_between_turns_does_not_stop_the_session(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()
    session_id = claude.launch("SCN:sleep")
    process = claude.process(session_id)
    eventually(lambda: tools_of(process), timeout=60)

    process.send_signal(signal.SIGTERM)
    claude.has(session_id, SessionStatus.FAILED)
    claude.turn(session_id, "SCN:default idle now")
    claude.process(session_id).kill()
    eventually(lambda: claude.session(session_id).agent_pid is None)
    session = claude.turn(session_id, "SCN:default and on")

    assert session.status == SessionStatus.COMPLETED
    assert len(claude.of(session_id, Error)) == 1
    assert has_prompt(claude.requests(session_id)[-1], "idle now")


@pytest.mark.long
def test_a_prompt_that_a_hook_refused_and_a_command_that_failed_are_no_success(claude: Claude) -> None:
    script = "import sys; sys.exit('No secrets.' if 'secret' in sys.stdin.read() else 0)"
    claude.hook("UserPromptSubmit", f'python3 -c "{script}" || exit 2')
    claude.start()

    session_id = claude.launch("my secret plan")
    refused = claude.ended(session_id)
    helped = claude.turn(session_id, "/help")
    answered = claude.turn(session_id, "SCN:default an open plan")

    hook, command = claude.of(session_id, Error)
    assert [session.status for session in (refused, helped, answered)] == ["failed", "failed", "completed"]
    assert hook.code == PROMPT_REFUSED
    assert "No secrets." in hook.message
    assert command.message == "/help isn't available in this environment."
    assert claude.times_asked(session_id, "my secret plan") == 0
