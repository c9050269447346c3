"""Prompts become turns, turns become rows: the host with the demo agent and a real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lulu import runtime
from lulu.agent.client import Agent
from lulu.errors import Forbidden, InputError
from lulu.model.actors import Actor, Role
from lulu.model.commands import Interrupt, SendPrompt, StartSession
from lulu.model.events import PermissionDecision, Result, StoredEvent, System, Text, User
from lulu.model.sessions import ENDED, Launch, Session, SessionId, SessionStatus, new_session_id
from lulu.runtime import Runtime
from lulu.settings import Settings
from lulu.store import Approval
from tests.support import eventually

OWNER = Actor(role=Role.OWNER, name="this computer")

NewLulu = Callable[..., Runtime]


@pytest.fixture
def new_lulu(tmp_path: Path) -> Iterator[NewLulu]:
    """Starts a Lulu on one data folder; a second call restarts it."""

    def new(**settings: object) -> Runtime:
        runtime.stop()
        values = {"data_dir": tmp_path / "lulu", "demo_speed": 0.0, **settings}
        return runtime.start(Settings.model_validate(values))

    yield new
    runtime.stop()


@pytest.fixture
def lulu(new_lulu: NewLulu) -> Runtime:
    return new_lulu()


def launch(prompt: str, working_directory: str | None = None) -> Launch:
    return Launch(prompt=prompt, working_directory=working_directory or str(Path.cwd()), agent="demo")


def start(lulu: Runtime, prompt: str) -> SessionId:
    session_id = new_session_id()
    lulu.store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch(prompt)))
    return session_id


def prompt(lulu: Runtime, session_id: SessionId, text: str) -> None:
    lulu.store.commands.submit(SendPrompt(actor=OWNER, session_id=session_id, text=text))


def stop(lulu: Runtime, session_id: SessionId) -> None:
    lulu.store.commands.submit(Interrupt(actor=OWNER, session_id=session_id))


def has_status(lulu: Runtime, session_id: SessionId, status: SessionStatus) -> Session:
    def look() -> Session | None:
        session = lulu.store.sessions.get(session_id)
        return session if session.status == status else None

    return eventually(look)


def settled(lulu: Runtime, session_id: SessionId, *, turns: int = 1) -> Session:
    """The session when it has answered that many prompts; every request on the way is approved."""

    def look() -> Session | None:
        for approval in lulu.store.approvals.find(session_id):
            lulu.store.approvals.decide(OWNER, approval.id, approve=True)
        session = lulu.store.sessions.get(session_id)
        done = lulu.store.events.count(session_id, "result") >= turns
        return session if done and session.known_status in ENDED else None

    return eventually(look, timeout=60)


def request_of(lulu: Runtime, session_id: SessionId) -> Approval:
    return eventually(lambda: next(iter(lulu.store.approvals.find(session_id)), None))


def events_of(lulu: Runtime, session_id: SessionId) -> list[StoredEvent]:
    return eventually(lambda: lulu.store.events.of_session(session_id))


def texts(lulu: Runtime, session_id: SessionId) -> list[str]:
    found = lulu.store.events.of_session(session_id)
    return [stored.event.content for stored in found if isinstance(stored.event, Text)]


def notes(lulu: Runtime, session_id: SessionId) -> list[str]:
    found = lulu.store.events.of_session(session_id)
    return [stored.event.subtype for stored in found if isinstance(stored.event, System)]


def test_a_prompt_becomes_a_finished_turn(lulu: Runtime) -> None:
    session_id = start(lulu, "Find the bug")

    session = settled(lulu, session_id)

    stored = lulu.store.events.of_session(session_id)
    assert session.status == SessionStatus.COMPLETED
    assert isinstance(stored[0].event, User)
    assert isinstance(stored[-1].event, Result)
    assert {one.type for one in stored} >= {"thinking", "text", "tool_use", "tool_result", "permission"}
    assert lulu.store.events.live_text(session_id) is None


def test_sums_on_the_row_are_those_of_the_turns_also_over_a_restart(lulu: Runtime, new_lulu: NewLulu) -> None:
    session_id = start(lulu, "Find the bug")
    settled(lulu, session_id)
    prompt(lulu, session_id, "And now?")
    settled(lulu, session_id, turns=2)
    again = new_lulu()
    prompt(again, session_id, "Anything else?")

    session = settled(again, session_id, turns=3)

    results = [one.event for one in again.store.events.of_session(session_id) if isinstance(one.event, Result)]
    assert len(results) == 3
    assert all(result.cost_usd and result.cost_usd > 0 for result in results)
    assert session.cost_usd == pytest.approx(results[-1].total_cost_usd)
    assert session.cost_usd == pytest.approx(sum(result.cost_usd or 0 for result in results))
    assert session.num_turns == sum(result.num_turns or 0 for result in results)


def test_queued_prompts_are_sent_in_order_and_once(lulu: Runtime) -> None:
    session_id = start(lulu, "Find the bug")
    for number in range(3):
        prompt(lulu, session_id, f"question {number}")

    settled(lulu, session_id, turns=4)

    stored = lulu.store.events.of_session(session_id)
    assert [one.event.text for one in stored if isinstance(one.event, User)] == [
        "Find the bug",
        "question 0",
        "question 1",
        "question 2",
    ]
    assert lulu.store.commands.queued_prompts(session_id) == []


def test_a_queue_survives_a_restart_and_is_sent_once(new_lulu: NewLulu) -> None:
    lulu = new_lulu(demo_speed=1.0)
    session_id = start(lulu, "story")
    has_status(lulu, session_id, SessionStatus.RUNNING)
    for number in range(3):
        prompt(lulu, session_id, f"question {number}")
    again = new_lulu()

    settled(again, session_id, turns=4)

    sent = [one.event.text for one in again.store.events.of_session(session_id) if isinstance(one.event, User)]
    assert sent == ["story", "question 0", "question 1", "question 2"]


def test_a_denial_reaches_the_agent_with_its_reason(lulu: Runtime) -> None:
    session_id = start(lulu, "Find the bug")
    approval = request_of(lulu, session_id)
    assert lulu.store.sessions.get(session_id).status == SessionStatus.WAITING

    lulu.store.approvals.decide(OWNER, approval.id, approve=False, message="Not this file, please")
    settled(lulu, session_id)

    stored = lulu.store.events.of_session(session_id)
    decisions = [one.event for one in stored if isinstance(one.event, PermissionDecision)]
    assert (decisions[0].decision, decisions[0].actor) == ("denied", "this computer")
    assert any("Not this file, please" in one.raw for one in stored if one.type == "tool_result")


def test_stop_interrupts_the_turn_and_keeps_what_was_said(new_lulu: NewLulu) -> None:
    lulu = new_lulu(demo_speed=1.0)
    session_id = start(lulu, "story")
    seen = eventually(lambda: lulu.store.events.live_text(session_id))

    stop(lulu, session_id)

    has_status(lulu, session_id, SessionStatus.INTERRUPTED)
    assert any(text.startswith(seen.text) for text in texts(lulu, session_id))
    prompt(lulu, session_id, "Find the bug")
    assert settled(lulu, session_id, turns=2).status == SessionStatus.COMPLETED


def test_stop_withdraws_only_that_sessions_requests(lulu: Runtime) -> None:
    ours, other = start(lulu, "Find the bug"), start(lulu, "Find the bug")
    for session_id in (ours, other):
        request_of(lulu, session_id)

    stop(lulu, ours)

    has_status(lulu, ours, SessionStatus.INTERRUPTED)
    assert lulu.store.approvals.find(ours) == []
    assert lulu.store.approvals.find(ours, status=None)[0].status == "cancelled"
    assert len(lulu.store.approvals.find(other)) == 1


def test_stop_of_a_session_that_waits_for_a_place_withdraws_it(new_lulu: NewLulu) -> None:
    lulu = new_lulu(max_running=1)
    first = start(lulu, "Find the bug")
    eventually(lambda: lulu.store.approvals.find(first))
    second = start(lulu, "Find the bug")

    stop(lulu, second)

    has_status(lulu, second, SessionStatus.INTERRUPTED)
    assert lulu.store.events.count(second, "user") == 0
    settled(lulu, first)


def test_no_more_than_max_running_work_at_once(new_lulu: NewLulu) -> None:
    lulu = new_lulu(max_running=2)
    sessions = [start(lulu, "Find the bug") for _ in range(4)]
    eventually(lambda: len(lulu.store.approvals.find()) == 2)
    assert sum(lulu.store.events.count(one, "user") for one in sessions) == 2

    for session_id in sessions:
        settled(lulu, session_id)

    assert [lulu.store.sessions.get(one).status for one in sessions] == ["completed"] * 4


def test_a_crashed_agent_fails_its_own_session_only(lulu: Runtime) -> None:
    other = start(lulu, "Find the bug")
    crashed = start(lulu, "crash")

    session = settled_or_failed(lulu, crashed)

    assert session.status == SessionStatus.FAILED
    errors = [one for one in lulu.store.events.of_session(crashed) if one.type == "error"]
    assert len(errors) == 1
    assert settled(lulu, other).status == SessionStatus.COMPLETED


def settled_or_failed(lulu: Runtime, session_id: SessionId) -> Session:
    def look() -> Session | None:
        for approval in lulu.store.approvals.find(session_id):
            lulu.store.approvals.decide(OWNER, approval.id, approve=True)
        session = lulu.store.sessions.get(session_id)
        return session if session.known_status in ENDED else None

    return eventually(look)


def test_an_unknown_frame_is_kept_raw(lulu: Runtime) -> None:
    session_id = start(lulu, "unknown")

    settled(lulu, session_id)

    assert "unknown" in notes(lulu, session_id)


def test_a_silent_stream_is_told_once_and_never_killed(new_lulu: NewLulu) -> None:
    lulu = new_lulu(stall_seconds=2)
    session_id = start(lulu, "stall")

    def stalled() -> bool:
        for approval in lulu.store.approvals.find(session_id):
            lulu.store.approvals.decide(OWNER, approval.id, approve=True)
        return "stalled" in notes(lulu, session_id)

    eventually(stalled)
    assert lulu.store.sessions.get(session_id).status == SessionStatus.RUNNING

    stop(lulu, session_id)

    has_status(lulu, session_id, SessionStatus.INTERRUPTED)
    assert notes(lulu, session_id).count("stalled") == 1


def test_clear_begins_another_conversation_and_counts_its_cost_from_nothing(lulu: Runtime) -> None:
    session_id = start(lulu, "Find the bug")
    before = settled(lulu, session_id)

    prompt(lulu, session_id, "/clear")
    settled(lulu, session_id, turns=2)

    after = lulu.store.sessions.get(session_id)
    assert after.session_id_claude != before.session_id_claude
    assert (after.cost_usd or 0) >= (before.cost_usd or 0)


def test_idle_agents_are_closed_and_the_next_prompt_goes_on(new_lulu: NewLulu) -> None:
    lulu = new_lulu(max_idle=0)
    session_id = start(lulu, "Find the bug")
    settled(lulu, session_id)
    eventually(lambda: lulu.host.connected == 0)

    prompt(lulu, session_id, "And now?")

    assert settled(lulu, session_id, turns=2).status == SessionStatus.COMPLETED


def test_processes_stay_few_where_closing_one_takes_longer_than_a_turn(
    new_lulu: NewLulu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that is too busy to end a process at once."""
    now: set[Agent] = set()
    counts: list[int] = []
    connect, disconnect = Agent.connect, Agent.disconnect

    async def counted(agent: Agent) -> None:
        now.add(agent)
        counts.append(len(now))
        await connect(agent)

    async def slow(agent: Agent) -> None:
        await asyncio.sleep(0.3)
        await disconnect(agent)
        now.discard(agent)

    monkeypatch.setattr(Agent, "connect", counted)
    monkeypatch.setattr(Agent, "disconnect", slow)
    lulu = new_lulu(max_running=2, max_idle=2)

    sessions = [start(lulu, "/help") for _ in range(16)]
    for session_id in sessions:
        settled(lulu, session_id)

    eventually(lambda: lulu.host.connected <= 2)
    assert (len(counts), max(counts) <= 2 + 2) == (16, True)


def test_sessions_that_rest_are_forgotten_and_go_on(new_lulu: NewLulu) -> None:
    lulu = new_lulu(max_idle=1)
    sessions = [start(lulu, "/help") for _ in range(8)]
    for session_id in sessions:
        settled(lulu, session_id)
    stop(lulu, sessions[0])

    eventually(lambda: lulu.host.known <= 1)
    for session_id in sessions:
        prompt(lulu, session_id, "/help")

    for session_id in sessions:
        assert settled(lulu, session_id, turns=2).status == SessionStatus.COMPLETED


def test_a_crash_of_lulu_is_closed_out_at_the_next_start(new_lulu: NewLulu) -> None:
    lulu = new_lulu(demo_speed=1.0)
    session_id = start(lulu, "story")
    seen = eventually(lambda: lulu.store.events.live_text(session_id))
    lulu.store.close()

    again = new_lulu()

    has_status(again, session_id, SessionStatus.INTERRUPTED)
    texts_kept = [one.event for one in again.store.events.of_session(session_id) if isinstance(one.event, Text)]
    assert texts_kept[-1].partial
    assert texts_kept[-1].content.startswith(seen.text)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (("  \n", None), "empty"),
        (("x" * 2_000_001, None), "limit"),
        (("hi", "/does/not/exist"), "does not exist"),
        (("hi", __file__), "is a file"),
        (("hi", "relative"), "absolute"),
        (("hi", "/tmp/\0"), "does not exist"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_launches_are_refused_and_leave_nothing(lulu: Runtime, asked: tuple[str, str | None], problem: str) -> None:
    command = StartSession(actor=OWNER, session_id=new_session_id(), launch=launch(*asked))

    with pytest.raises(InputError, match=problem):
        lulu.store.commands.submit(command)

    assert lulu.store.sessions.latest() == []


def test_odd_prompts_reach_the_log_letter_by_letter(lulu: Runtime) -> None:
    odd = ["--dangerously-skip-permissions", "a\0b", "lone \ud800", "\u202eRTL", "\x1b[31mred", "x" * 1_000_000]

    for text in odd:
        session_id = start(lulu, text)
        stored = events_of(lulu, session_id)
        assert json.loads(stored[0].raw)["text"] == text


def test_only_the_owner_may_send(lulu: Runtime) -> None:
    guest = Actor(role=Role.GUEST, name="a guest", session_id="x")
    session_id = start(lulu, "Find the bug")

    with pytest.raises(Forbidden):
        lulu.store.commands.submit(SendPrompt(actor=guest, session_id=session_id, text="hi"))
    approval = request_of(lulu, session_id)
    with pytest.raises(Forbidden):
        lulu.store.approvals.decide(guest, approval.id, approve=True)
