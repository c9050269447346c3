"""Processes of the real Claude Code: how many are kept, and what becomes of those that outlive Lulu."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lulu.agent import os_processes
from lulu.model.sessions import SessionId, SessionStatus
from lulu.store import Change
from tests.agent.claude_driver import Claude, agents_now, command_of, has_prompt, is_alive, tools_of
from tests.support import ROOT, eventually
from tests.tiers import scale

#: How many sessions there are in the test of many.
SESSIONS = scale(short=10, long=30)

#: A Lulu in a process of its own: it starts the sessions that it is told to, and waits to be killed. Where it is told,
#: it deletes the last one; what was deleted is not ended before the kill.
_OTHER_LULU = """
import sys, threading
from lulu.model.commands import Delete
from lulu.engine.worker import Worker
from tests.agent.claude_driver import Claude
from tests.messages_api import MessagesApi
from pathlib import Path

Worker.discard = lambda worker: None

claude = Claude(MessagesApi(), Path(sys.argv[1]))
claude.start()
for prompt in sys.argv[2:]:
    session_id = claude.launch(prompt)
    print(session_id, flush=True)
if "delete" in sys.stdin.readline():
    claude.do(Delete, session_id)
    print("deleted", flush=True)
threading.Event().wait()
"""


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    """A process that has nothing to do with Lulu."""
    process = psutil.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    yield process
    process.kill()
    process.wait()


@contextlib.contextmanager
def other_lulu(claude: Claude, *prompts: str) -> Iterator[tuple[subprocess.Popen[str], list[SessionId]]]:
    """A Lulu on this folder in a process of its own, with a session for each prompt."""
    command = [sys.executable, "-c", _OTHER_LULU, str(claude.folder), *prompts]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), text=True, stdin=pipe, stdout=pipe) as lulu:
        try:
            yield lulu, [SessionId(line_of(lulu)) for _ in prompts]
        finally:
            lulu.kill()


def line_of(lulu: subprocess.Popen[str]) -> str:
    assert lulu.stdout is not None
    return lulu.stdout.readline().strip()


def started_by(lulu: subprocess.Popen[str]) -> list[psutil.Process]:
    """What it has started, once a command of an agent is among that."""
    other = psutil.Process(lulu.pid)
    eventually(lambda: any("time.sleep(60" in command_of(one) for one in tools_of(other)), timeout=60)
    return other.children(recursive=True)


@pytest.mark.long
def test_a_command_in_the_background_that_a_crash_cut_off_is_ended_and_told(claude: Claude) -> None:
    claude.allow("Bash")
    with other_lulu(claude, "SCN:background SECONDS=60") as (lulu, [session_id]):
        eventually(lambda: claude.status_in_file(session_id) == "completed", timeout=60)
        orphans = started_by(lulu)

    claude.start()

    eventually(lambda: not any(map(is_alive, orphans)))
    [told] = claude.of_subtype(session_id, "background_stopped")
    assert [task["description"] for task in told["tasks"]] == ["Count"]
    assert claude.session(session_id).status == SessionStatus.COMPLETED
    claude.start()
    assert claude.notes(session_id).count("background_stopped") == 1


def test_nothing_of_a_deleted_session_outlives_a_crash_and_the_next_start(claude: Claude) -> None:
    claude.allow("Bash")
    with other_lulu(claude, "SCN:background SECONDS=60") as (lulu, [session_id]):
        eventually(lambda: claude.status_in_file(session_id) == "completed", timeout=60)
        orphans = started_by(lulu)
        assert lulu.stdin is not None
        lulu.stdin.write("delete\n")
        lulu.stdin.flush()
        assert line_of(lulu) == "deleted"
    assert [one for one in orphans if is_alive(one)]

    claude.start()

    eventually(lambda: not any(map(is_alive, orphans)))


def test_what_an_agent_has_started_does_not_end_itself(tmp_path: Path) -> None:
    """The Lulu that an agent of the one before has started carries its mark, as its parent does."""
    code = "import sys; from lulu.agent import os_processes; os_processes.end_marked(sys.argv[1]); print('lives')"
    mark = os_processes.mark_of(tmp_path / "lulu.db")
    command = [sys.executable, "-c", code, mark]
    parent = f"import subprocess, sys; sys.exit(subprocess.call({command!r}))"

    done = subprocess.run(
        [sys.executable, "-c", parent],
        cwd=ROOT,
        env={**os.environ, os_processes.MARK: f"{mark}a:b"},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, "lives\n")


@pytest.mark.long
def test_processes_that_outlived_lulu_are_ended_at_the_next_start(claude: Claude) -> None:
    claude.allow("Bash")
    prompts = ["SCN:sleep SECONDS=60", "SCN:slow WORDS=2000", "SCN:default hello"]
    with other_lulu(claude, *prompts) as (lulu, sessions):
        in_tool, in_stream, idle = sessions
        eventually(lambda: claude.status_in_file(idle) == "completed", timeout=60)
        eventually(lambda: claude.is_asked("SCN:slow"), timeout=60)
        orphans = started_by(lulu)
    assert len([process for process in orphans if is_alive(process)]) >= 4

    claude.start()
    eventually(lambda: not any(is_alive(process) for process in orphans))

    assert [claude.session(one).status for one in sessions] == ["interrupted", "interrupted", "completed"]
    assert [claude.session(one).agent_pid for one in sessions] == [None] * 3
    assert all("lulu_stopped" in claude.notes(one) for one in (in_tool, in_stream))
    for session_id, prompt in zip(sessions, prompts, strict=True):
        assert claude.turn(session_id, "SCN:default go on").status == SessionStatus.COMPLETED
        assert has_prompt(claude.requests(session_id)[-1], prompt)


def test_a_process_that_got_an_old_pid_is_never_hit(claude: Claude, bystander: psutil.Process) -> None:
    lulu = claude.start(agent="demo")
    rows = [
        (bystander.pid, bystander.create_time() - 60),
        (bystander.pid, None),
        (2**22 + 1, bystander.create_time()),
    ]
    for pid, started_at in rows:
        session_id = claude.stored()
        columns = {"agent_pid": pid, "agent_started_at": started_at}
        lulu.store.events.record(Change(session_id=session_id, columns=columns)).result()

    claude.start()

    assert is_alive(bystander)
    assert all(session.agent_pid is None for session in claude.lulu.store.sessions.latest())


@pytest.mark.long
def test_a_prompt_that_comes_while_its_process_is_closed_goes_to_the_next_one(claude: Claude) -> None:
    claude.start(max_idle=0)
    session_id = claude.launch("SCN:default round 0")
    claude.ended(session_id)

    for number in (1, 2):
        # Let go of, and not gone yet.
        eventually(lambda: claude.lulu.host.connected == 0, every=0.005)
        claude.turn(session_id, f"SCN:default round {number}")
    eventually(lambda: claude.lulu.host.connected == 0, every=0.005)
    claude.send(session_id, "SCN:slow")
    claude.says(session_id, "word5")

    costs = [result.cost_usd for result in claude.results(session_id)]
    assert [claude.times_asked(session_id, f"round {number}") for number in range(3)] == [1, 1, 1]
    assert costs == pytest.approx([costs[0]] * 3)
    assert [process.pid for process in agents_now()] == [claude.session(session_id).agent_pid]


@pytest.mark.timeout(600)
@pytest.mark.scaled
def test_many_sessions_leave_at_most_5_processes(claude: Claude) -> None:
    claude.start(max_running=2)
    most = 0

    sessions = [claude.launch(f"SCN:default number {number}") for number in range(SESSIONS)]

    def done() -> bool:
        nonlocal most
        most = max(most, len(agents_now()))
        return not claude.lulu.store.sessions.live()

    eventually(done, timeout=200, every=0.1)
    eventually(lambda: len(agents_now()) <= 5)
    assert most <= 5 + 2 + 2, "five rest, two run, and one that was ended is there until the system has cleared it away"
    assert claude.lulu.host.connected <= 5
    assert [claude.session(session_id).status for session_id in sessions] == ["completed"] * SESSIONS
    eventually(lambda: len({session.agent_pid for session in map(claude.session, sessions)} - {None}) <= 5)
