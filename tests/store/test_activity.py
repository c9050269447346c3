"""What counts as activity of a session: lists are ordered by it, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lulu.model.actors import LULU
from lulu.model.commands import Archive, Command, Fork, Pin, Rename, SendNow, SendPrompt, SetBudget, SetModel
from lulu.model.events import Error, Event, Result, System, Text, Thinking, ToolResult, ToolUse, User
from lulu.model.sessions import Launch, SessionId, SessionStatus, new_session_id
from lulu.store import Change, LiveText, Store
from lulu.store.sqlite.migrate import HEAD, migrate
from tests.store.files import execute, make_released
from tests.store.questions import request

LONG_AGO = "2025-01-01T00:00:00.000Z"
AN_HOUR = "2026-01-02T03:04:05.000Z"
SESSION = "INSERT INTO sessions (id, prompt, status, created_at) VALUES (?, 'p', 'completed', ?)"
Act = Callable[[Store, SessionId], object]


def submit(make: Callable[[SessionId], Command]) -> Act:
    return lambda store, session_id: store.commands.submit(make(session_id))


def told(*events: Event, **fields: object) -> Act:
    def act(store: Store, session_id: SessionId) -> object:
        change = Change(session_id=session_id, events=events, **fields)  # type: ignore[arg-type]
        return store.events.record(change).result(30)

    return act


def asked(store: Store, session_id: SessionId) -> None:
    store.approvals.ask(request(session_id)).result(30)


def write_live(store: Store, session_id: SessionId) -> None:
    live = LiveText(message_id="m", kind="text", text="words", updated_at=datetime.now(UTC))
    store.events.record(Change(session_id=session_id, live=live)).result(30)


def is_active_after(store: Store, path: Path, act: Act, launch: Launch, *, before: Act | None = None) -> bool:
    """Whether this brings a session to the top of the list."""
    session_id, other = new_session_id(), new_session_id()
    for one in (session_id, other):
        store.sessions.insert(launch, session_id=one, status=SessionStatus.RUNNING)
    if before is not None:
        before(store, session_id)
    execute(path, "UPDATE sessions SET created_at = ?, updated_at = created_at, last_activity_at = ?", *[LONG_AGO] * 2)
    execute(path, "UPDATE sessions SET last_activity_at = ? WHERE id = ?", AN_HOUR, other)

    act(store, session_id)

    listed = [session.id for session in store.sessions.latest(limit=500) if session.id in (session_id, other)]
    is_recent = store.sessions.get(session_id).active_at > datetime.now(UTC) - timedelta(minutes=5)
    assert (listed[0] == session_id) == is_recent
    return is_recent


ACTIVITY: dict[str, Act] = {
    "a prompt is sent": submit(lambda one: SendPrompt(actor=LULU, session_id=one, text="go on")),
    "a prompt is sent at once": submit(lambda one: SendNow(actor=LULU, session_id=one, text="go on")),
    "a prompt is taken": told(User(text="go")),
    "an agent asks": asked,
    "a turn ends": told(Result(num_turns=1)),
    "a turn ends with its status": told(Result(num_turns=1), status=SessionStatus.COMPLETED),
    "a turn fails": told(Error(message="no"), status=SessionStatus.FAILED),
    "a process dies": lambda store, one: store.sessions.close_out(one, SessionStatus.FAILED).result(30),
}
NO_ACTIVITY: dict[str, Act] = {
    "a text": told(Text(content="words")),
    "a thought": told(Thinking(content="words")),
    "a call": told(ToolUse(id="t", name="Bash", input={})),
    "its answer": told(ToolResult(tool_use_id="t", content="x")),
    "a note": told(System(subtype="init", data={})),
    "an error in between": told(Error(message="no")),
    "a sub-agent's prompt": told(User(text="go", parent="t")),
    "a sub-agent's end": told(Result(num_turns=1, parent="t")),
    "the agent's own news": told(columns={"model": "opus", "agent_pid": 7}),
    "cost": told(cost_usd=1.0, num_turns=1),
    "live text": write_live,
    "it waits": told(status=SessionStatus.WAITING),
    "a new title": submit(lambda one: Rename(actor=LULU, session_id=one, title="new")),
    "a pin": submit(lambda one: Pin(actor=LULU, session_id=one, pinned=True)),
    "limits": submit(lambda one: SetBudget(actor=LULU, session_id=one, max_cost_usd=1, max_turns=2)),
    "another model": submit(lambda one: SetModel(actor=LULU, session_id=one, model="opus")),
    "a fork of it": submit(lambda one: Fork(actor=LULU, session_id=one, new_session_id=new_session_id())),
    "a rule's answer": lambda store, one: store.approvals.decide_by_rule(
        request(one), None, approve=True, why="a rule"
    ).result(30),
    "the recovery": lambda store, one: store.sessions.close_out(
        one, SessionStatus.INTERRUPTED, [System(subtype="lulu_stopped")], is_activity=False
    ).result(30),
    "a turn that ends because Lulu stops": told(Result(), status=SessionStatus.INTERRUPTED, is_activity=False),
}


@pytest.mark.parametrize("name", ACTIVITY)
def test_activity_brings_a_session_to_the_top(store: Store, path: Path, launch: Launch, name: str) -> None:
    assert is_active_after(store, path, ACTIVITY[name], launch)


@pytest.mark.parametrize("name", NO_ACTIVITY)
def test_nothing_else_does(store: Store, path: Path, launch: Launch, name: str) -> None:
    assert not is_active_after(store, path, NO_ACTIVITY[name], launch)


@pytest.mark.parametrize("approve", [True, False])
def test_an_answer_is_activity(store: Store, path: Path, launch: Launch, approve: bool) -> None:
    def answer(store: Store, session_id: SessionId) -> None:
        [approval] = store.approvals.find(session_id)
        store.approvals.decide(LULU, approval.id, approve=approve)

    assert is_active_after(store, path, answer, launch, before=asked)


@pytest.mark.parametrize("way", ["withdrawn", "expired"])
def test_a_request_that_nobody_answers_is_none(store: Store, path: Path, launch: Launch, way: str) -> None:
    def end(store: Store, session_id: SessionId) -> None:
        [approval] = store.approvals.find(session_id)
        if way == "withdrawn":
            store.approvals.withdraw(approval.id).result(30)
        else:
            store.sessions.close_out(session_id, SessionStatus.INTERRUPTED, is_activity=False).result(30)

    assert not is_active_after(store, path, end, launch, before=asked)


def test_an_archived_session_comes_back_to_its_place(store: Store, path: Path, launch: Launch) -> None:
    def away_and_back(store: Store, session_id: SessionId) -> None:
        store.sessions.move(session_id, SessionStatus.COMPLETED)
        execute(path, "UPDATE sessions SET last_activity_at = ? WHERE id = ?", LONG_AGO, session_id)
        for archived in (True, False):
            store.commands.submit(Archive(actor=LULU, session_id=session_id, archived=archived))

    assert not is_active_after(store, path, away_and_back, launch)


def test_a_folder_that_is_worked_in_again_comes_first(store: Store, tmp_path: Path) -> None:
    old = store.sessions.insert(Launch(prompt="p", working_directory="/old"))
    store.sessions.insert(Launch(prompt="p", working_directory="/new"))

    store.commands.submit(SendPrompt(actor=LULU, session_id=old, text="go on"))

    assert store.sessions.recent_folders() == ["/old", "/new"]


def test_stored_events_tell_the_activity_of_older_files(path: Path) -> None:
    path.parent.mkdir()
    make_released(path, "005")
    times = iter(f"2026-02-{day:02}" for day in range(1, 29))

    def made(session: str, events: list[tuple[str, str]]) -> list[str]:
        execute(path, SESSION, session, "2026-01-01 00:00:00")
        at = []
        for kind, payload in events:
            at.append(f"{next(times)} 10:00:00")
            insert = "INSERT INTO conversation_events (session_id, event_type, payload, created_at) VALUES (?, ?, ?, ?)"
            execute(path, insert, session, kind, payload, at[-1])
        return at

    answered = made("answered", [("user", "{}"), ("result", "{}"), ("text", "{}"), ("user", '{"parent":"t"}')])
    odd = made("odd", [("user", "not json"), ("system", "{}")])
    made("only created", [("text", "{}")])
    asked_at = f"{next(times)}T10:00:00.000Z"
    execute(path, SESSION, "asked", "2026-01-01 00:00:00")
    for number, (auto, at) in enumerate([(0, asked_at), (1, f"{next(times)}T10:00:00.000Z")]):
        execute(
            path,
            "INSERT INTO approvals (id, session_id, tool_name, tool_input, auto_approved, created_at) "
            "VALUES (?, 'asked', 'Bash', '{}', ?, ?)",
            str(number),
            auto,
            at,
        )
    before = execute(path, "SELECT id, updated_at, created_at FROM sessions ORDER BY id")

    migrate(path)

    active: dict[str, str | None] = dict(execute(path, "SELECT id, last_activity_at FROM sessions"))
    assert execute(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert active["answered"] == answered[1].replace(" ", "T")
    assert active["odd"] == odd[0].replace(" ", "T")
    assert active["asked"] == asked_at
    assert active["only created"] is None
    assert execute(path, "SELECT id, updated_at, created_at FROM sessions ORDER BY id") == before
