"""Stop stops: what is queued by then waits until somebody sends or deletes it, over restarts and on every page."""

from __future__ import annotations

import pytest

from lulu.errors import Conflict
from lulu.model import commands
from lulu.model.commands import DeleteHeld, EditQueued, SendHeld, SendNow, StartSession, WithdrawQueued
from lulu.model.events import User
from lulu.model.sessions import Launch, SessionId, SessionStatus, new_session_id
from lulu.model.validation import Attachment
from lulu.runtime import Runtime
from tests.engine.test_host import OWNER, NewLulu, has_status, new_lulu, prompt, settled, start, stop
from tests.support import eventually

__all__ = ["new_lulu"]

#: Never answered.
STALL = "Stall, please."
QUESTIONS = ["question 0", "question 1", "question 2"]


@pytest.fixture
def lulu(new_lulu: NewLulu) -> Runtime:
    return new_lulu()


@pytest.fixture
def held(lulu: Runtime) -> SessionId:
    """A turn that was stopped, with three prompts behind it."""
    session_id = start(lulu, STALL)
    has_status(lulu, session_id, SessionStatus.RUNNING)
    for question in QUESTIONS:
        prompt(lulu, session_id, question)
    stop(lulu, session_id)
    has_status(lulu, session_id, SessionStatus.INTERRUPTED)
    return session_id


def sent(lulu: Runtime, session_id: SessionId) -> list[str]:
    events = [stored.event for stored in lulu.store.events.of_session(session_id)]
    return [event.text for event in events if isinstance(event, User)]


def on_hold(lulu: Runtime, session_id: SessionId) -> list[str]:
    queued = lulu.store.commands.queued_prompts(session_id)
    assert lulu.store.sessions.get(session_id).held_prompts == sum(stored.is_held for stored in queued)
    return [stored.prompt for stored in queued if stored.is_held]


def nothing_goes_on(lulu: Runtime, session_id: SessionId) -> bool:
    """Whether the host has nothing to take: what is on hold is no work for it."""
    other = start(lulu, "echo meanwhile")
    settled(lulu, other)
    return lulu.store.commands.pending() == [] and not lulu.store.sessions.get(session_id).is_live


def withdraw(lulu: Runtime, session_id: SessionId) -> None:
    [first] = lulu.store.commands.queued_prompts(session_id)
    lulu.store.commands.submit(WithdrawQueued(actor=OWNER, session_id=session_id, command_id=first.id))


def send_held(lulu: Runtime, session_id: SessionId) -> None:
    lulu.store.commands.submit(SendHeld(actor=OWNER, session_id=session_id))


def test_stop_holds_the_queue_also_over_a_restart(lulu: Runtime, held: SessionId, new_lulu: NewLulu) -> None:
    assert nothing_goes_on(lulu, held)
    assert on_hold(lulu, held) == QUESTIONS

    again = new_lulu()
    assert nothing_goes_on(again, held)

    assert on_hold(again, held) == QUESTIONS
    assert sent(again, held) == [STALL]
    assert [session.id for session in again.store.sessions.on_hold()] == [held]
    send_held(again, held)
    settled(again, held, turns=4)
    assert sent(again, held) == [STALL, *QUESTIONS]
    assert again.store.sessions.on_hold() == []


def test_a_new_prompt_goes_first_and_the_held_ones_follow(lulu: Runtime, held: SessionId) -> None:
    prompt(lulu, held, "echo new")

    settled(lulu, held, turns=5)

    assert sent(lulu, held) == [STALL, "echo new", *QUESTIONS]
    assert on_hold(lulu, held) == []


def test_of_two_new_prompts_both_go_first(new_lulu: NewLulu) -> None:
    """Neither can be sent at once here: another session has the only place."""
    lulu = new_lulu(max_running=1)
    session_id = start(lulu, STALL)
    has_status(lulu, session_id, SessionStatus.RUNNING)
    prompt(lulu, session_id, "question 0")
    stop(lulu, session_id)
    has_status(lulu, session_id, SessionStatus.INTERRUPTED)
    other = start(lulu, STALL)
    has_status(lulu, other, SessionStatus.RUNNING)

    prompt(lulu, session_id, "new 1")
    prompt(lulu, session_id, "new 2")
    queued = [stored.prompt for stored in lulu.store.commands.queued_prompts(session_id)]
    stop(lulu, other)
    settled(lulu, session_id, turns=4)

    assert queued == ["new 1", "new 2", "question 0"]
    assert sent(lulu, session_id) == [STALL, *queued]


def test_send_now_leaves_the_others_as_they_are(lulu: Runtime, held: SessionId) -> None:
    first, second, _ = lulu.store.commands.queued_prompts(held)

    lulu.store.commands.submit(SendNow(actor=OWNER, session_id=held, text=QUESTIONS[1], replaces=second.id))
    settled(lulu, held, turns=2)
    assert nothing_goes_on(lulu, held)

    assert sent(lulu, held) == [STALL, QUESTIONS[1]]
    assert on_hold(lulu, held) == [QUESTIONS[0], QUESTIONS[2]]
    # … and what is queued and not on hold goes on after it.
    prompt(lulu, held, "Stall, please, again.")
    has_status(lulu, held, SessionStatus.RUNNING)
    eventually(lambda: on_hold(lulu, held) == [])
    lulu.store.commands.submit(SendNow(actor=OWNER, session_id=held, text="now"))
    settled(lulu, held, turns=6)
    assert sent(lulu, held)[2:] == ["Stall, please, again.", "now", QUESTIONS[0], QUESTIONS[2]]
    with pytest.raises(Conflict):
        lulu.store.commands.submit(commands.WithdrawQueued(actor=OWNER, session_id=held, command_id=first.id))


def test_delete_all_takes_back_what_is_on_hold_and_nothing_else(lulu: Runtime, held: SessionId) -> None:
    # In another tab they were sent: nothing is on hold any more.
    lulu.store.commands.submit(DeleteHeld(actor=OWNER, session_id=held))
    assert lulu.store.commands.queued_prompts(held) == []
    assert lulu.store.sessions.get(held).held_prompts == 0

    prompt(lulu, held, "echo first")
    prompt(lulu, held, "echo second")
    lulu.store.commands.submit(DeleteHeld(actor=OWNER, session_id=held))

    settled(lulu, held, turns=3)
    assert sent(lulu, held) == [STALL, "echo first", "echo second"]


def test_nothing_else_lets_held_prompts_go(lulu: Runtime, held: SessionId) -> None:
    first, second, _ = (stored.id for stored in lulu.store.commands.queued_prompts(held))
    for command in (
        commands.EditQueued(actor=OWNER, session_id=held, command_id=first, text="edited"),
        commands.WithdrawQueued(actor=OWNER, session_id=held, command_id=second),
        commands.Rename(actor=OWNER, session_id=held, title="other"),
        commands.Fork(actor=OWNER, session_id=held, new_session_id=new_session_id()),
        commands.Interrupt(actor=OWNER, session_id=held),
        commands.SetPermissionMode(actor=OWNER, session_id=held, mode="plan"),
        commands.SetModel(actor=OWNER, session_id=held, model="other"),
        commands.Archive(actor=OWNER, session_id=held, archived=True),
    ):
        lulu.store.commands.submit(command)

    assert nothing_goes_on(lulu, held)
    assert on_hold(lulu, held) == ["edited", QUESTIONS[2]]
    assert sent(lulu, held) == [STALL]
    # A fork begins without them; an archived session is no news on Home.
    [fork] = lulu.store.sessions.forks_of(held)
    assert lulu.store.commands.queued_prompts(fork.id) == []
    assert lulu.store.sessions.on_hold() == []


def test_deny_and_stop_and_a_stop_during_send_now_hold_the_queue(lulu: Runtime) -> None:
    asking, stalled = start(lulu, "Find the bug"), start(lulu, STALL)
    [approval] = eventually(lambda: lulu.store.approvals.find(asking))
    prompt(lulu, asking, "echo after")
    has_status(lulu, stalled, SessionStatus.RUNNING)
    prompt(lulu, stalled, "echo after")

    lulu.store.approvals.decide(OWNER, approval.id, approve=False, stop=True)
    lulu.store.commands.submit(SendNow(actor=OWNER, session_id=stalled, text="echo now"))
    stop(lulu, stalled)

    has_status(lulu, asking, SessionStatus.INTERRUPTED)
    eventually(lambda: not lulu.store.sessions.get(stalled).is_live)
    assert nothing_goes_on(lulu, asking)
    assert on_hold(lulu, asking) == ["echo after"]
    assert "echo after" in on_hold(lulu, stalled)


def test_a_deleted_session_takes_its_held_prompts_with_it(lulu: Runtime, held: SessionId) -> None:
    lulu.store.commands.submit(commands.Delete(actor=OWNER, session_id=held))

    assert lulu.store.sessions.on_hold() == []
    assert lulu.store.commands.queued_prompts(held) == []


def test_a_first_prompt_that_is_stopped_before_it_began_is_on_hold_too(new_lulu: NewLulu) -> None:
    lulu = new_lulu(max_running=1)
    has_status(lulu, start(lulu, STALL), SessionStatus.RUNNING)
    image = Attachment(name="notes.txt", media_type="text/plain", content=b"notes")
    session_id = new_session_id()
    launch = Launch(prompt="echo first", working_directory=str(lulu.settings.data_dir.parent), agent="demo")
    lulu.store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch, attachments=[image]))
    prompt(lulu, session_id, "echo second")

    stop(lulu, session_id)
    has_status(lulu, session_id, SessionStatus.INTERRUPTED)
    lulu = new_lulu(max_running=2)

    assert on_hold(lulu, session_id) == ["echo first", "echo second"]
    [first, _] = lulu.store.commands.queued_prompts(session_id)
    assert [one.content for one in lulu.store.commands.attachments(first.attachment_ids)] == [b"notes"]
    lulu.store.commands.submit(EditQueued(actor=OWNER, session_id=session_id, command_id=first.id, text="echo changed"))
    send_held(lulu, session_id)
    settled(lulu, session_id, turns=2)
    assert sent(lulu, session_id) == ["echo changed", "echo second"]
    assert lulu.store.sessions.get(session_id).name == "echo changed"


@pytest.mark.parametrize("way", ["send now", "delete", "delete all", "a new prompt"])
def test_a_first_prompt_on_hold_is_a_prompt_like_others(new_lulu: NewLulu, way: str) -> None:
    lulu = new_lulu(max_running=1)
    stalled = start(lulu, STALL)
    has_status(lulu, stalled, SessionStatus.RUNNING)
    session_id = start(lulu, "echo first")
    with pytest.raises(Conflict):
        withdraw(lulu, session_id)
    stop(lulu, session_id)
    has_status(lulu, session_id, SessionStatus.INTERRUPTED)
    [first] = lulu.store.commands.queued_prompts(session_id)
    stop(lulu, stalled)

    if way == "send now":
        lulu.store.commands.submit(SendNow(actor=OWNER, session_id=session_id, text="echo first", replaces=first.id))
    elif way == "delete":
        withdraw(lulu, session_id)
    elif way == "delete all":
        lulu.store.commands.submit(DeleteHeld(actor=OWNER, session_id=session_id))
    else:
        prompt(lulu, session_id, "echo new")

    wanted = {"send now": ["echo first"], "a new prompt": ["echo new", "echo first"]}.get(way, [])
    settled(lulu, session_id, turns=len(wanted))
    assert sent(lulu, session_id) == wanted
    assert lulu.store.commands.queued_prompts(session_id) == []
