"""Whatever people do, in any order, and whenever Lulu dies: no session, command, event or request is left half done.

``LULU_TEST_ORDERS=1000`` tries that many orders, and not the same ones each time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from lulu import runtime
from lulu.errors import Conflict, SessionNotFound
from lulu.model import commands
from lulu.model.actors import Actor, Role
from lulu.model.commands import Command, StartSession
from lulu.model.sessions import ENDED, Launch, SessionId, SessionStatus, new_session_id
from lulu.runtime import Runtime
from lulu.settings import Settings
from lulu.store import Approval
from tests import audit
from tests.audit import Account
from tests.support import eventually
from tests.tiers import scale

_ORDERS = os.environ.get("LULU_TEST_ORDERS")
PEOPLE = [Actor(role=Role.OWNER, name=name) for name in ("one", "the other")]
OWNER = PEOPLE[0]
#: Answered at once, with requests, in the background, with a failure, and never.
PROMPTS = [
    "echo hello",
    "Find the bug",
    "Use subagents.",
    "Survey it in the background.",
    "Ask me a question.",
    "Tell me a story.",
    "Crash, please.",
    "Show me an API error.",
    "Stall, please.",
]
#: Sessions at most, so that the rules meet in them.
MOST = 4
PATIENCE = 60.0

prompts = st.sampled_from(PROMPTS)
which = st.integers(0, MOST - 1)


class _Complaints(logging.Handler):
    """What Lulu itself says went wrong inside."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


class AnyOrder(RuleBasedStateMachine):
    """People at work with the demo agent; after each step the file is looked at as it is then."""

    #: Set by the test.
    folder: Path
    lives = 0

    def __init__(self) -> None:
        super().__init__()
        #: Places, so that which rules can be drawn does not depend on how fast an agent was.
        self.sessions: dict[int, SessionId] = {}
        self.steps = 0
        self.seen: Account | None = None
        self.complaints = _Complaints()
        logging.getLogger("lulu").addHandler(self.complaints)
        self.lulu = self.begin()

    # -- Lulu's own life -----------------------------------------------------------------------------------------------

    def begin(self, database: Path | None = None) -> Runtime:
        """Start Lulu, on a file that is there already where it is given."""
        data = database.parent if database else self.next_folder()
        lulu = runtime.start(Settings(data_dir=data, demo_speed=0.0, max_idle=1))
        audit.install(lulu.store.path)
        return lulu

    def next_folder(self) -> Path:
        type(self).lives += 1
        return self.folder / f"life{self.lives}"

    @precondition(lambda self: self.steps % 5 == 4)
    @rule()
    def restart(self) -> None:
        database = self.lulu.store.path
        runtime.stop()
        self.lulu = self.begin(database)

    @precondition(lambda self: self.steps % 5 == 4)
    @rule()
    def crash(self) -> None:
        copy = self.next_folder() / self.lulu.store.path.name
        audit.crashed_copy(self.lulu.store.path, copy)
        runtime.stop()
        before = Account(copy)
        self.seen = before
        self.lulu = self.begin(copy)

    # -- people --------------------------------------------------------------------------------------------------------

    def submit(self, command: Command) -> None:
        """As a page does: what is refused is told, and is no failure."""
        self.tell(lambda: self.lulu.store.commands.submit(command))

    def tell(self, action: Callable[[], object]) -> bool:
        try:
            action()
        except (Conflict, SessionNotFound):
            return False
        return True

    def session(self, number: int) -> SessionId:
        """The session at this place; one that does not exist where there is none."""
        return self.sessions.get(number, SessionId("nobody"))

    @rule(number=which, prompt=prompts, as_draft=st.booleans())
    def start(self, number: int, prompt: str, as_draft: bool) -> None:
        if number in self.sessions:
            return
        session_id = self.sessions[number] = new_session_id()
        launch = Launch(prompt=prompt, working_directory=str(Path.cwd()), agent="demo")
        kept = commands.SaveDraft(actor=OWNER, session_id=session_id, launch=launch)
        started = StartSession(actor=OWNER, session_id=session_id, launch=launch)
        self.submit(kept if as_draft else started)

    @rule(number=which, prompt=prompts)
    def launch_draft(self, number: int, prompt: str) -> None:
        if number not in self.sessions:
            return
        launch = Launch(prompt=prompt, working_directory=str(Path.cwd()), agent="demo")
        self.submit(StartSession(actor=OWNER, session_id=self.session(number), launch=launch))

    @rule(number=which, prompt=prompts, now=st.booleans())
    def prompt(self, number: int, prompt: str, now: bool) -> None:
        kind = commands.SendNow if now else commands.SendPrompt
        session_id = self.session(number)
        if number in self.sessions and self.status(session_id) != SessionStatus.DRAFT:
            self.submit(kind(actor=OWNER, session_id=session_id, text=prompt))

    @rule(number=which, withdraw=st.booleans())
    def change_queued(self, number: int, withdraw: bool) -> None:
        session_id = self.session(number)
        for queued in self.lulu.store.commands.queued_prompts(session_id)[:1]:
            if withdraw:
                command: Command = commands.WithdrawQueued(actor=OWNER, session_id=session_id, command_id=queued.id)
            else:
                command = commands.EditQueued(
                    actor=OWNER, session_id=session_id, command_id=queued.id, text="echo edited"
                )
            self.submit(command)

    @rule(number=which, approve=st.booleans(), stop=st.booleans())
    def answer(self, number: int, approve: bool, stop: bool) -> None:
        """Two people at once: one of them is first."""
        for approval in self.lulu.store.approvals.find(self.session(number)):
            with ThreadPoolExecutor(len(PEOPLE)) as pool:
                taken = list(pool.map(lambda who, one=approval: self.decide(who, one, approve, stop), PEOPLE))
            assert sum(taken) <= 1

    def decide(self, who: Actor, approval: Approval, approve: bool, stop: bool) -> bool:
        return self.tell(
            lambda: self.lulu.store.approvals.decide(who, approval.id, approve=approve, stop=stop and not approve)
        )

    @rule(number=which)
    def interrupt(self, number: int) -> None:
        self.submit(commands.Interrupt(actor=OWNER, session_id=self.session(number)))

    @rule(number=which, delete=st.booleans())
    def end_hold(self, number: int, delete: bool) -> None:
        kind = commands.DeleteHeld if delete else commands.SendHeld
        self.submit(kind(actor=OWNER, session_id=self.session(number)))

    @rule(number=which, to=which, at=st.none() | st.integers(0, 30))
    def fork(self, number: int, to: int, at: int | None) -> None:
        parent = self.session(number)
        if number not in self.sessions or to in self.sessions or self.status(parent) == SessionStatus.DRAFT:
            return
        events = self.lulu.store.events.of_session(parent)
        event_id = None if at is None or not events else events[at % len(events)].id
        new_id = self.sessions[to] = new_session_id()
        self.submit(commands.Fork(actor=OWNER, session_id=parent, new_session_id=new_id, event_id=event_id))

    @rule(number=which, archived=st.booleans())
    def archive(self, number: int, archived: bool) -> None:
        self.submit(commands.Archive(actor=OWNER, session_id=self.session(number), archived=archived))

    @rule(number=which)
    def delete(self, number: int) -> None:
        session_id = self.session(number)
        if self.tell(lambda: self.lulu.store.commands.submit(commands.Delete(actor=OWNER, session_id=session_id))):
            del self.sessions[number]

    @rule(number=which, mode=st.sampled_from(["default", "acceptEdits", "plan"]))
    def change_mode(self, number: int, mode: str) -> None:
        self.submit(commands.SetPermissionMode(actor=OWNER, session_id=self.session(number), mode=mode))

    # -- waiting -------------------------------------------------------------------------------------------------------

    def status(self, session_id: SessionId) -> str:
        return self.lulu.store.sessions.get(session_id).status

    def needs_somebody(self, session_id: SessionId) -> bool:
        """Whether nothing goes on here by itself: it has ended, it asks, or it has fallen silent."""
        store = self.lulu.store
        session = store.sessions.get(session_id)
        if session.known_status in ENDED or session.status == SessionStatus.DRAFT:
            return not any(one.command.session_id == session_id for one in store.commands.pending())
        live = store.events.live_text(session_id)
        silent = live is not None and live.text.endswith("The first of them is")
        last = [stored.event for stored in store.events.of_session(session_id)[-3:]]
        assert store.approvals.find(session_id) or silent, f"{session.status}, {live}, {last}"
        return True

    @rule(number=which)
    def wait(self, number: int) -> None:
        if number in self.sessions:
            eventually(partial(self.needs_somebody, self.session(number)), timeout=PATIENCE, every=0.02)

    # -- what holds ----------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_half_done(self) -> None:
        found = Account(self.lulu.store.path)
        found.check()
        if self.seen is not None:
            found.check_nothing_lost(self.seen)
        self.seen = found
        self.steps += 1
        assert self.complaints.said == []

    def teardown(self) -> None:
        try:
            for number in self.sessions:
                eventually(partial(self.brought_to_an_end, number), timeout=PATIENCE)
            runtime.stop()
            found = Account(self.lulu.store.path)
            found.check_rest()
            if self.seen is not None:
                found.check_nothing_lost(self.seen)
            assert self.complaints.said == []
        finally:
            runtime.stop()
            logging.getLogger("lulu").removeHandler(self.complaints)

    def brought_to_an_end(self, number: int) -> bool:
        store, session_id = self.lulu.store, self.sessions[number]
        self.wait(number)
        for approval in store.approvals.find(session_id):
            self.decide(OWNER, approval, True, False)
        if store.events.live_text(session_id) is not None:
            self.interrupt(number)
        is_over = self.status(session_id) in ENDED or self.status(session_id) == SessionStatus.DRAFT
        return is_over and not any(one.command.session_id == session_id for one in store.commands.pending())


@pytest.mark.timeout(3_600 if _ORDERS else 240)
@pytest.mark.scaled
def test_any_order_leaves_nothing_half_done(tmp_path: Path) -> None:
    AnyOrder.folder = tmp_path

    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=int(_ORDERS or scale(short=10, long=40)),
            stateful_step_count=30,
            derandomize=not _ORDERS,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
