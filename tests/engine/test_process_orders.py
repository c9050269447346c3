"""Whatever order an agent's frames have, and however it takes a stop: the turn ends once, and as it should.

The agent here is scripted below the process: real host, worker and store. ``LULU_TEST_ORDERS=5000`` tries that many.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lulu import runtime
from lulu.agent import AgentSpec
from lulu.agent.stream.translate import Translation, Translator
from lulu.engine import worker
from lulu.engine.process import stop
from lulu.engine.process.states import ALLOWED, ProcessState, moved
from lulu.engine.resume import verdict_on
from lulu.errors import Conflict
from lulu.model.actors import Actor, Role
from lulu.model.commands import Delete, Interrupt, SendNow, SendPrompt
from lulu.model.events import Event, System, User
from lulu.model.sessions import ENDED, Launch, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.settings import Settings
from tests.support import eventually
from tests.tiers import scale

_ORDERS = os.environ.get("LULU_TEST_ORDERS")
OWNER = Actor(role=Role.OWNER, name="this computer")
#: What the frames of an end may be, in whatever order.
RESULTS = {
    "completed": {"is_error": False, "terminal_reason": "completed"},
    "failed": {"is_error": True, "terminal_reason": "api_error"},
    "aborted": {"is_error": True, "terminal_reason": "aborted_streaming"},
    "odd": {"is_error": False, "num_turns": "many", "total_cost_usd": "0.5", "origin": "somebody"},
}
_STATUS = {
    "completed": SessionStatus.COMPLETED,
    "odd": SessionStatus.COMPLETED,
    "failed": SessionStatus.FAILED,
    "aborted": SessionStatus.INTERRUPTED,
}


@dataclass
class Script:
    """How the agent ends a turn by itself, and how it takes a stop."""

    end: list[str]
    on_interrupt: list[str]
    on_terminate: list[str]
    dies_of_terminate: bool
    #: What went wrong: something was sent to it after it was told to end.
    wrong: list[str] = field(default_factory=list)
    #: Whether an agent of it is there and was not told to end.
    lives: bool = False


class Scripted:
    """In the place of ``Agent``: it says what its script has."""

    pid: int | None = 1 << 30
    started_at = 0.0
    stderr_tail = ""

    def __init__(self, spec: AgentSpec, script: Script) -> None:
        self.spec = spec
        self._script = script
        self._translator = Translator()
        self._said: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._uuid = ""
        self._is_dying, script.lives = False, True
        self._number = 0

    async def send(self, text: str, uuid: str, attachments: object = ()) -> None:
        self._hears("prompt")
        self._uuid = uuid
        self.say("running", "init")
        if text == "ends":
            has_result = any(step in RESULTS for step in self._script.end)
            self.say(*self._script.end, *([] if has_result else ["tasks 0", "idle"]), "note")
        if text == "answered":
            self.say("completed", "tasks 0", "idle")

    async def interrupt(self, patience: float) -> bool:
        self._hears("interrupt")
        self.say(*self._script.on_interrupt)
        return True

    def terminate(self) -> None:
        self._is_dying, self._script.lives = True, False
        self.say(*self._script.on_terminate)
        if self._script.dies_of_terminate:
            self._said.put_nowait(None)

    def kill(self) -> None:
        self._is_dying, self._script.lives = True, False
        self._said.put_nowait(None)

    async def disconnect(self) -> None:
        self._is_dying, self._script.lives = True, False
        self._said.put_nowait(None)

    def end_tools(self) -> None:
        """It has none."""

    async def translations(self) -> AsyncIterator[Translation]:
        while (frame := await self._said.get()) is not None:
            yield self._translator.translate(frame)

    def say(self, *steps: str) -> None:
        for step in steps:
            self._said.put_nowait(self._frame(step))

    def _hears(self, what: str) -> None:
        if self._is_dying:
            self._script.wrong.append(what)

    def _frame(self, step: str) -> dict[str, Any]:
        self._number += 1
        system = {"type": "system", "uuid": f"{id(self)}-{self._number}"}
        match step.split():
            case ["init"]:
                return {**system, "subtype": "init", "session_id": self.spec.conversation_id}
            case ["idle" | "running" as state]:
                return {**system, "subtype": "session_state_changed", "state": state}
            case ["note"]:
                return {**system, "subtype": "note_at_last"}
            case ["tasks", count]:
                return {**system, "subtype": "background_tasks_changed", "tasks": [{"task_id": "a"}] * int(count)}
        own = {"type": "result", "session_id": self.spec.conversation_id, "user_message_uuids": [self._uuid]}
        return {**system, **own, "subtype": "success", **RESULTS[step]}


@pytest.fixture(scope="module")
def lulu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stop, "INTERRUPT_SECONDS", 0.05)
        patch.setattr(stop, "TERMINATE_SECONDS", 0.05)
        patch.setattr(worker, "connected_agent", _connected)
        folder = tmp_path_factory.mktemp("orders") / "lulu"
        yield runtime.start(Settings(data_dir=folder, result_seconds=0.1, max_idle=100_000))
        runtime.stop()


_scripts: dict[str, Script] = {}


async def _connected(store: Any, options: Settings, session_id: str, *_: object) -> Any:
    row = store.sessions.get(session_id)
    spec = AgentSpec(
        kind="claude",
        working_directory="/",
        model=None,
        permission_mode="default",
        conversation_id=row.session_id_claude,
        resume=False,
        trusts_folder=(await verdict_on(store, options, row)).trusted,
    )
    return Scripted(spec, _scripts[session_id])


results = st.none() | st.sampled_from(list(RESULTS))
noise = st.lists(st.sampled_from(["tasks 1", "tasks 0", "idle", "running"]), max_size=4)


@st.composite
def orders(draw: st.DrawFn) -> list[str]:
    """Signs of life in any order, among them at most one result."""
    steps, result = draw(noise), draw(results)
    # Where it tells an end, nothing of it goes on at last, whether it says so or not; else it may fall silent wherever.
    at_last = draw(st.sampled_from([["tasks 0", "idle"], ["tasks 0"], ["tasks 0", "running"]])) if result else []
    return [*draw(st.permutations([*steps, *([result] if result else [])])), *at_last]


scripts = st.builds(Script, end=orders(), on_interrupt=orders(), on_terminate=orders(), dies_of_terminate=st.booleans())


@pytest.mark.timeout(7_200 if _ORDERS else 240)
@settings(
    max_examples=int(_ORDERS or scale(short=60, long=300)),
    derandomize=not _ORDERS,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(script=scripts, way=st.sampled_from(["nobody stops it", "stop", "send now", "delete"]))
@pytest.mark.scaled
def test_every_order_of_frames_ends_the_turn_once_and_as_it_should(lulu: Runtime, script: Script, way: str) -> None:
    launch = Launch(prompt="x", working_directory=str(Path.cwd()), agent="claude")
    session_id = lulu.store.sessions.insert(launch, status=SessionStatus.COMPLETED)
    _scripts[session_id] = script
    is_left_alone = way == "nobody stops it"

    lulu.store.commands.submit(
        SendPrompt(actor=OWNER, session_id=session_id, text="ends" if is_left_alone else "waits")
    )
    eventually(lambda: [one for one in events(lulu, session_id) if isinstance(one, System)], every=0.002)
    if is_left_alone:
        eventually(lambda: [one for one in events(lulu, session_id) if _is_last(one)], every=0.002)
        told = [_STATUS[step] for step in script.end if step in RESULTS]
        assert ended(lulu, session_id) == (told[0] if told else SessionStatus.FAILED)
    elif way != "send now":
        with pytest.raises(Conflict):
            lulu.store.commands.submit(Delete(actor=OWNER, session_id=session_id))
        lulu.store.commands.submit(Interrupt(actor=OWNER, session_id=session_id))
        assert ended(lulu, session_id) == SessionStatus.INTERRUPTED
    if way == "delete":
        # Where the agent says once more that it works, it is at work until it owes to be idle for too long.
        eventually(lambda: is_deleted(lulu, session_id), every=0.002, retry_on=(Conflict,))
        eventually(lambda: not script.lives, every=0.002)
    else:
        kind = SendNow if way == "send now" else SendPrompt
        lulu.store.commands.submit(kind(actor=OWNER, session_id=session_id, text="answered"))
        eventually(lambda: prompts(lulu, session_id) == 2 and ended(lulu, session_id), every=0.002)
        assert ended(lulu, session_id) == SessionStatus.COMPLETED

    assert script.wrong == [], "something was sent to a process that was told to end"


def is_deleted(lulu: Runtime, session_id: SessionId) -> bool:
    lulu.store.commands.submit(Delete(actor=OWNER, session_id=session_id))
    return True


def _is_last(event: Event) -> bool:
    return isinstance(event, System) and event.subtype == "note_at_last"


def events(lulu: Runtime, session_id: SessionId) -> list[Event]:
    return [stored.event for stored in lulu.store.events.of_session(session_id)]


def prompts(lulu: Runtime, session_id: SessionId) -> int:
    return sum(isinstance(one, User) for one in events(lulu, session_id))


def ended(lulu: Runtime, session_id: SessionId) -> SessionStatus | None:
    """How its last turn ended, when nothing goes on any more."""

    def look() -> SessionStatus | None:
        session = lulu.store.sessions.get(session_id)
        return session.known_status if session.known_status in ENDED else None

    return eventually(look, every=0.002)


def test_a_process_moves_only_as_allowed() -> None:
    for state in ProcessState:
        for target in ProcessState:
            assert moved(state, target) is (target if target in ALLOWED[state] else state)
    assert ALLOWED[ProcessState.DYING] == {ProcessState.GONE}
