"""Sub-agents and commands in the background of the real Claude Code: turns that nobody asked for."""

from __future__ import annotations

import pytest

from lulu.engine.host import AgentHost
from lulu.model.events import Event, System, Text, Thinking, ToolResult, ToolUse
from lulu.model.sessions import SessionStatus
from tests.agent.claude_driver import Claude, has_prompt, tools_of
from tests.support import eventually


def test_a_sub_agent_is_told_apart_and_its_end_wakes_a_turn(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start(max_idle=0)

    session_id = claude.launch("SCN:agent please")
    session = claude.ended(session_id, turns=2)

    agent, *_ = (event for event in claude.of(session_id, ToolUse) if event.name == "Agent")
    below = [event for event in claude.events(session_id) if event.parent == agent.id]
    asked, woken = claude.results(session_id)
    assert [_content(event) for event in below] == ["A sub-agent thinks.", "echo sub", "sub", "job is done: sub"]
    assert all(event.parent is None for event in claude.events(session_id) if event not in below)
    assert {"task_started", "task_notification"} <= set(claude.notes(session_id))
    assert (asked.is_error, woken.is_error, session.status) == (False, False, "completed")
    assert session.cost_usd == woken.total_cost_usd
    assert eventually(lambda: claude.lulu.host.connected == 0), "closed when all is done"
    assert "job is done" not in " ".join(claude.texts_of_main(session_id)[:1])


@pytest.mark.long
def test_a_session_runs_until_its_sub_agents_and_what_they_wake_are_done(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start(max_idle=0, stall_seconds=2)

    session_id = claude.launch("SCN:agent JOB=sleep SECONDS=5")
    eventually(lambda: claude.results(session_id), timeout=60)
    process = claude.process(session_id)
    seen = set()
    status = claude.session(session_id).status
    while len(claude.results(session_id)) < 2:
        seen.add(status)
        status = claude.session(session_id).status
        assert process.is_running(), "the idle closer took it for idle"
    session = claude.ended(session_id, turns=2)

    assert seen == {"running"}
    assert session.status == SessionStatus.COMPLETED
    assert "stalled" not in claude.outline(session_id).partition("result")[2], "the silence was the sub-agent's"
    assert claude.commands(session_id) == ["done"]


@pytest.mark.long
def test_a_prompt_is_answered_while_a_sub_agent_works(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()
    session_id = claude.launch("SCN:agent JOB=sleep SECONDS=10")
    eventually(lambda: claude.results(session_id), timeout=60)

    claude.send(session_id, "SCN:default meanwhile")
    eventually(lambda: "The scripted answer." in claude.texts(session_id), timeout=60)
    answered = claude.session(session_id).status
    session = claude.ended(session_id, turns=3)

    assert answered == SessionStatus.RUNNING
    assert session.status == SessionStatus.COMPLETED
    assert claude.commands(session_id) == ["done", "done"]


def test_stop_ends_sub_agents_after_their_turn(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()
    session_id = claude.launch("SCN:agent JOB=sleep SECONDS=60")
    eventually(lambda: claude.results(session_id), timeout=60)
    process = claude.process(session_id)
    eventually(lambda: tools_of(process))

    claude.stop(session_id)
    claude.has(session_id, SessionStatus.INTERRUPTED)

    assert len(claude.results(session_id)) == 1
    assert eventually(lambda: tools_of(process) == [])
    assert claude.turn(session_id, "SCN:default go on").status == SessionStatus.COMPLETED
    assert claude.process(session_id) == process


@pytest.mark.long
def test_stop_ends_a_turn_that_nobody_asked_for(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start(stall_seconds=4)
    session_id = claude.launch("SCN:agent THEN=stall")
    claude.says(session_id, "stall5")
    claude.note(session_id, "stalled")
    assert claude.session(session_id).status == SessionStatus.RUNNING

    claude.stop(session_id)
    claude.has(session_id, SessionStatus.INTERRUPTED)

    assert claude.notes(session_id).count("stalled") == 1
    assert claude.commands(session_id) == ["done", "done"]
    assert claude.turn(session_id, "SCN:default go on").status == SessionStatus.COMPLETED


@pytest.mark.long
def test_a_command_in_the_background_leaves_the_session_ready_and_its_process_alone(
    claude: Claude, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude.allow("Bash")
    looks = _looks_of_the_idle_closer(monkeypatch)
    claude.start(max_idle=0)
    until = claude.work / "enough"

    session_id = claude.launch(f"SCN:background UNTIL={until}")
    first = claude.ended(session_id)
    process = claude.process(session_id)
    seen = len(looks)
    eventually(lambda: len(looks) > seen + 20)
    assert process.is_running(), "the idle closer took it for idle"
    until.touch()
    claude.ended(session_id, turns=2)

    assert first.status == SessionStatus.COMPLETED
    assert len(claude.results(session_id)) == 2, "its end wakes a turn, a moment after it was told"
    assert [task["status"] for task in claude.of_subtype(session_id, "task_notification")] == ["completed"]
    assert has_prompt(claude.requests(session_id)[-1], "SCN:background")
    eventually(lambda: not process.is_running())


@pytest.mark.long
def test_a_command_that_ends_within_its_turn_keeps_the_process_for_a_moment_only(
    claude: Claude, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The running turn is told of it: no other one comes."""
    claude.allow("Bash")
    monkeypatch.setattr("lulu.engine.worker.WAKE_SECONDS", 0.5)
    claude.start(max_idle=0)

    session_id = claude.launch("SCN:background SECONDS=0")
    process = claude.process(session_id)
    claude.ended(session_id)

    assert eventually(lambda: not process.is_running(), timeout=60)
    assert claude.session(session_id).status == SessionStatus.COMPLETED


def _looks_of_the_idle_closer(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Let it look a hundred times a second; one more with each look."""
    looks: list[None] = []
    close_idle = AgentHost._close_idle

    async def look(host: AgentHost) -> None:
        looks.append(None)
        await close_idle(host)

    monkeypatch.setattr(AgentHost, "_close_idle", look)
    monkeypatch.setattr("lulu.engine.host.WATCH_SECONDS", 0.01)
    return looks


def _content(event: Event) -> str:
    match event:
        case Text() | Thinking():
            return event.content
        case ToolUse():
            return str(event.input["command"])
        case ToolResult():
            return str(event.content)
        case System():
            return event.subtype
    raise AssertionError(event)
