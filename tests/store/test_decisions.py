"""Who answers a request, who takes a command, and who may ask for anything at all."""

from __future__ import annotations

import inspect
import threading
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lulu.errors import Conflict, Forbidden, InputError, SessionNotFound
from lulu.model import commands
from lulu.model.actors import LULU, NOBODY, Actor, Role
from lulu.model.commands import (
    AddRule,
    Archive,
    Command,
    CommandId,
    CommandStatus,
    Delete,
    DeleteHeld,
    DeleteRule,
    EditQueued,
    ForgetFolder,
    Fork,
    Interrupt,
    Pin,
    Rename,
    SaveDraft,
    SendHeld,
    SendNow,
    SendPrompt,
    SetBudget,
    SetModel,
    SetPermissionMode,
    StartSession,
    SwitchLan,
    SwitchRule,
    TrustFolder,
    WithdrawQueued,
)
from lulu.model.events import PermissionDecision, User
from lulu.model.sessions import Launch, SessionId, SessionStatus, new_session_id
from lulu.store import APPROVALS, COMMANDS, Approval, Change, Store, session_topic
from tests.store.files import execute
from tests.store.questions import call, public_methods, request

OWNER = Actor(role=Role.OWNER, name="this computer")
GUEST = Actor(role=Role.GUEST, name="a share", session_id="any")


@pytest.fixture
def running(store: Store, session_id: SessionId) -> SessionId:
    store.sessions.move(session_id, SessionStatus.RUNNING)
    return session_id


def _race(work: Callable[[int], Any], count: int = 20) -> list[Any]:
    """What each of so many threads got, or what it was told."""
    start = threading.Barrier(count)
    answers: list[Any] = [None] * count

    def run(number: int) -> None:
        start.wait()
        try:
            answers[number] = work(number)
        except Conflict as conflict:
            answers[number] = conflict

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_one_answer_of_twenty_wins(store: Store, running: SessionId) -> None:
    store.approvals.ask(request(running)).result(30)

    def decide(number: int) -> Approval:
        actor = Actor(role=Role.OWNER, name=f"device {number}")
        return store.approvals.decide(actor, "request-1", approve=number % 2 == 0, message=f"from {number}")

    answers = _race(decide)

    [winner] = [answer for answer in answers if isinstance(answer, Approval)]
    losers = [answer for answer in answers if isinstance(answer, Conflict)]
    assert len(losers) == 19
    assert all(f"already {winner.status} by {winner.decided_by}." in loser.happened for loser in losers)
    stored = store.approvals.get("request-1")
    assert stored == winner
    decisions = [e.event for e in store.events.of_session(running) if isinstance(e.event, PermissionDecision)]
    assert decisions == [
        PermissionDecision(id="request-1", decision=winner.status, message=winner.message, actor=winner.decided_by)
    ]


def test_one_taker_of_twenty_has_the_command(store: Store, running: SessionId) -> None:
    command_id = store.commands.submit(SendPrompt(actor=OWNER, session_id=running, text="go on"))

    def told(number: int) -> Change:
        return Change(session_id=running, events=[User(text=f"taken by {number}")])

    answers = _race(lambda number: store.commands.take(command_id, told(number)).result(30))

    assert answers.count(True) == 1
    assert answers.count(False) == 19
    assert store.commands.queued_prompts(running) == []
    assert [stored.event for stored in store.events.of_session(running)] == [
        User(text=f"taken by {answers.index(True)}")
    ]


def test_answer_and_withdrawal_race_to_one_end(store: Store, running: SessionId) -> None:
    for number in range(10):
        approval_id = f"request-{number}"
        store.approvals.ask(request(running, approval_id)).result(30)

        def act(place: int, approval_id: str = approval_id) -> Approval:
            if place % 2:
                return store.approvals.withdraw(approval_id).result(30)
            return store.approvals.decide(OWNER, approval_id, approve=True)

        answers = _race(act, 4)

        assert sum(isinstance(answer, Approval) for answer in answers) == 1
        assert store.sessions.get(running).status == "running"
    assert len(store.events.of_session(running)) == 20


def test_request_moves_the_session_to_waiting_and_its_answer_back(store: Store, running: SessionId) -> None:
    store.approvals.ask(request(running, "first")).result(30)
    store.approvals.ask(request(running, "second")).result(30)

    statuses = [store.sessions.get(running).status]
    store.approvals.decide(OWNER, "first", approve=False, message="not this")
    statuses.append(store.sessions.get(running).status)
    approval = store.approvals.decide(OWNER, "second", approve=True, updated_input={"command": "ls -l"})
    statuses.append(store.sessions.get(running).status)

    assert statuses == ["waiting", "waiting", "running"]
    assert approval.updated_input == {"command": "ls -l"}
    assert [a.message for a in store.approvals.find(running, status="denied")] == ["not this"]


@pytest.mark.parametrize("status", [SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.INTERRUPTED])
def test_late_answer_starts_nothing(store: Store, running: SessionId, status: SessionStatus) -> None:
    store.approvals.ask(request(running)).result(30)
    store.sessions.move(running, status)

    store.approvals.decide(OWNER, "request-1", approve=True)

    assert store.sessions.get(running).status == status


def test_close_out_of_an_ended_session_only_tidies_up(store: Store, running: SessionId) -> None:
    store.approvals.ask(request(running)).result(30)
    store.sessions.move(running, SessionStatus.COMPLETED)

    store.sessions.close_out(running, SessionStatus.FAILED).result(30)

    assert store.sessions.get(running).status in ("completed", "failed")
    assert [approval.status for approval in store.approvals.find(status=None)] == ["expired"]
    assert store.approvals.find(status=None)[0].decided_by == LULU.name


def test_unknown_request_is_a_conflict(store: Store) -> None:
    for approval_id in ("nothing", "", "' OR 1=1--", "\ud800", "\0"):
        with pytest.raises(Conflict, match="does not exist"):
            store.approvals.decide(OWNER, approval_id, approve=True)


@pytest.mark.parametrize(
    "value", [{1, 2}, b"bytes", object(), float("nan"), [float("inf")]], ids=["set", "bytes", "object", "nan", "inf"]
)
def test_changed_input_that_is_no_json_is_refused(store: Store, running: SessionId, value: object) -> None:
    store.approvals.ask(request(running)).result(30)

    with pytest.raises(InputError):
        store.approvals.decide(OWNER, "request-1", approve=True, updated_input={"x": value})

    assert store.approvals.find(running)[0].status == "pending"


def test_decision_rings_after_it_can_be_read(store: Store, running: SessionId) -> None:
    store.approvals.ask(request(running)).result(30)
    seen: dict[str, str] = {}

    def look(topic: str, version: int) -> None:
        approval = store.approvals.get("request-1")
        seen[topic] = approval.status if approval else "nothing"

    store.bus.subscribe(look)

    store.approvals.decide(OWNER, "request-1", approve=True)
    store.sessions.insert(Launch(prompt="x", working_directory="/"))

    assert seen[APPROVALS] == "approved"
    assert seen[session_topic(running)] == "approved"


# -- commands --------------------------------------------------------------------------------------------------------


def test_start_makes_the_session_and_its_command_together(store: Store, launch: Launch) -> None:
    session_id = new_session_id()

    command_id = store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))

    assert store.sessions.get(session_id).status == "starting"
    [stored] = store.commands.pending()
    assert (stored.id, stored.command, stored.status) == (
        command_id,
        StartSession(actor=OWNER, session_id=session_id, launch=launch),
        CommandStatus.PENDING,
    )


def test_second_start_of_one_session_is_a_conflict(store: Store, launch: Launch) -> None:
    command = StartSession(actor=OWNER, session_id=new_session_id(), launch=launch)
    store.commands.submit(command)

    with pytest.raises(Conflict):
        store.commands.submit(command)

    assert len(store.commands.pending()) == 1


def test_command_for_no_session_is_refused(store: Store) -> None:
    with pytest.raises(SessionNotFound):
        store.commands.submit(Interrupt(actor=OWNER, session_id=SessionId("nowhere")))


def test_command_that_is_over_stays_as_it_ended(store: Store, running: SessionId, path: Path) -> None:
    command_id = store.commands.submit(SendPrompt(actor=OWNER, session_id=running, text="go on"))

    store.commands.end(command_id, CommandStatus.REFUSED, "no").result(30)
    store.commands.end(command_id).result(30)

    assert not store.commands.take(command_id).result(30)
    assert execute(path, "SELECT status, error FROM commands") == [("refused", "no")]


def test_submitted_command_rings_the_host(store: Store, running: SessionId) -> None:
    rung: list[str] = []
    store.bus.subscribe(lambda topic, version: rung.append(topic))

    store.commands.submit(SendPrompt(actor=OWNER, session_id=running, text="go on"))
    store.sessions.move(running, SessionStatus.COMPLETED)

    assert COMMANDS in rung


# -- who may ---------------------------------------------------------------------------------------------------------


def _samples(launch: Launch, session_id: SessionId, actor: Actor) -> list[Command]:
    about: dict[str, Any] = {"actor": actor, "session_id": session_id}
    return [
        StartSession(actor=actor, session_id=new_session_id(), launch=launch),
        SaveDraft(actor=actor, session_id=new_session_id(), launch=launch),
        SendPrompt(**about, text="x"),
        SendNow(**about, text="x"),
        Interrupt(**about),
        SetPermissionMode(**about, mode="plan"),
        SetModel(**about, model="opus"),
        EditQueued(**about, command_id=CommandId(1), text="x"),
        WithdrawQueued(**about, command_id=CommandId(1)),
        SendHeld(**about),
        DeleteHeld(**about),
        Fork(**about, new_session_id=new_session_id()),
        Rename(**about, title="x"),
        Pin(**about, pinned=True),
        Archive(**about, archived=True),
        Delete(**about),
        SetBudget(**about, max_cost_usd=1.0, max_turns=1),
        AddRule(actor=actor, tool_pattern="Read", action="approve"),
        SwitchRule(actor=actor, rule_id=1, enabled=True),
        DeleteRule(actor=actor, rule_id=1),
        SwitchLan(actor=actor, on=True),
        TrustFolder(actor=actor, folder="/x", trusted=True),
        ForgetFolder(actor=actor, folder="/x"),
    ]


def test_every_kind_of_command_has_a_sample(launch: Launch) -> None:
    samples = _samples(launch, SessionId("x"), OWNER)

    assert {type(command) for command in samples} == set(commands.KINDS.values())


@pytest.mark.parametrize("actor", [NOBODY, GUEST], ids=lambda actor: actor.role)
def test_no_command_of_anybody_else_is_accepted(
    store: Store, running: SessionId, launch: Launch, actor: Actor, path: Path
) -> None:
    before = store.sessions.latest()

    for command in _samples(launch, running, actor):
        with pytest.raises(Forbidden):
            store.commands.submit(command)

    assert execute(path, "SELECT count(*) FROM commands") == [(0,)]
    assert execute(path, "SELECT count(*) FROM auto_approve_rules") == [(0,)]
    assert execute(path, "SELECT count(*) FROM folders") == [(0,)]
    assert store.sessions.latest() == before


def test_rule_that_comes_with_an_answer_is_checked_like_any_other(store: Store, running: SessionId) -> None:
    store.approvals.ask(request(running)).result(30)

    with pytest.raises(Forbidden):
        store.approvals.decide(
            OWNER, "request-1", approve=True, rule=AddRule(actor=GUEST, tool_pattern="Read", action="approve")
        )
    with pytest.raises(InputError):
        store.approvals.decide(
            OWNER, "request-1", approve=True, rule=AddRule(actor=OWNER, tool_pattern="(", action="approve")
        )

    assert store.approvals.find(running)[0].status == "pending"


def test_start_that_nobody_took_cannot_be_edited_or_withdrawn_as_a_prompt(store: Store, launch: Launch) -> None:
    session_id = new_session_id()
    command_id = store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))

    for command in (
        EditQueued(actor=OWNER, session_id=session_id, command_id=command_id, text="other"),
        WithdrawQueued(actor=OWNER, session_id=session_id, command_id=command_id),
    ):
        with pytest.raises(Conflict):
            store.commands.submit(command)

    [stored] = store.commands.pending()
    assert stored.command == StartSession(actor=OWNER, session_id=session_id, launch=launch)


def test_command_about_another_session_changes_nothing(store: Store, running: SessionId, launch: Launch) -> None:
    other = store.sessions.insert(launch)
    command_id = store.commands.submit(SendPrompt(actor=OWNER, session_id=running, text="mine"))

    with pytest.raises(Conflict):
        store.commands.submit(EditQueued(actor=OWNER, session_id=other, command_id=command_id, text="yours"))
    with pytest.raises(Conflict):
        store.commands.submit(WithdrawQueued(actor=OWNER, session_id=other, command_id=command_id))

    [stored] = store.commands.queued_prompts(running)
    assert stored.command == SendPrompt(actor=OWNER, session_id=running, text="mine")


def _methods_that_take_an_actor() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every public method of a part of the store with an ``Actor`` or a ``Command`` among its arguments."""
    for name, method in public_methods().items():
        hints = typing.get_type_hints(method)
        hints.pop("return", None)
        acting = {
            argument for argument, hint in hints.items() if isinstance(hint, type) and issubclass(hint, Actor | Command)
        }
        if acting:
            yield name, hints


def test_every_method_with_an_actor_asks_who_it_is(store: Store, running: SessionId, launch: Launch) -> None:
    """A new method is called here with made-up arguments: it must refuse before it looks at them."""
    methods = dict(_methods_that_take_an_actor())
    assert {"commands.submit", "approvals.decide"} <= methods.keys()

    for name, hints in methods.items():
        required = [
            parameter.name
            for parameter in inspect.signature(public_methods()[name]).parameters.values()
            if parameter.default is parameter.empty and parameter.name != "self"
        ]
        for actor in (NOBODY, GUEST):
            command = SendPrompt(actor=actor, session_id=running, text="x")
            made_up = {
                argument: actor if hints[argument] is Actor else command if argument == "command" else object()
                for argument in required
            }
            with pytest.raises(Forbidden):
                call(store, name, made_up)
