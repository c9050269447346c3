"""A file system that fails in every place: nothing that was acknowledged is lost, nothing is written twice, and the
store goes on by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lulu.model.actors import LULU
from lulu.model.commands import SendPrompt
from lulu.model.events import System, Text, ToolUse
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import HEALTH, Approval, Change, Store
from lulu.store.sqlite import writer
from tests.store.faults import CODES, Faults, install, of_the_file
from tests.store.files import execute, integrity
from tests.store.questions import request
from tests.support import eventually
from tests.tiers import keep_short


@pytest.fixture(autouse=True)
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.01)
    return install(monkeypatch)


@pytest.fixture
def quiet(store: Store, session_id: SessionId) -> Store:
    """A store whose first commits are done."""
    eventually(lambda: store.waiting == 0)
    return store


UNFORESEEN = [MemoryError(), RuntimeError("unforeseen"), SystemExit(1), KeyboardInterrupt(), AssertionError()]


def _texts(store: Store, session_id: str) -> list[str]:
    return [str(getattr(event.event, "content", "")) for event in store.events.of_session(session_id)]


def _a_days_work(store: Store, session_id: SessionId, say: Callable[[object], None]) -> None:
    """Every kind of write once; each is told with ``say`` when it is acknowledged."""
    say(store.events.append(session_id, [Text(content="one"), Text(content="two")]))
    store.sessions.move(session_id, SessionStatus.RUNNING)
    say(store.commands.submit(SendPrompt(actor=LULU, session_id=session_id, text="more")))
    [command] = store.commands.pending()
    say(store.commands.take(command.id).result(30))
    asked: Approval = request(session_id)
    say(store.approvals.ask(asked).result(30) is None)
    say(store.approvals.decide(LULU, asked.id, approve=True).status)
    change = Change(
        session_id=session_id,
        events=[ToolUse(id="t", name="Bash", input={}, uuid="u"), Text(content="three", uuid="u")],
        status=SessionStatus.COMPLETED,
        columns={"model": "sonnet"},
        cost_usd=0.5,
        num_turns=1,
        command_id=command.id,
    )
    say(store.events.record(change).result(30).moved)
    say(store.sessions.close_out(session_id, SessionStatus.INTERRUPTED, [System(subtype="no")]).result(30) is None)


def _check_a_days_work(store: Store, session_id: str, path: Path) -> None:
    kinds = [event.type for event in store.events.of_session(session_id)]
    assert kinds == ["text", "text", "permission", "permission_decision", "tool_use", "text"]
    session = store.sessions.get(session_id)
    assert (session.status, session.model, session.cost_usd, session.num_turns) == ("completed", "sonnet", 0.5, 1)
    assert execute(path, "SELECT kind, status FROM commands") == [("prompt", "done")]
    assert [approval.status for approval in store.approvals.find(status=None)] == ["approved"]
    # A caller is answered a moment before the writer has put down how it went.
    eventually(lambda: store.health.ok and store.waiting == 0)
    assert integrity(path) == "ok"


@pytest.mark.parametrize("number", keep_short(12, *range(1, 51, 4), *(n for n in range(1, 51) if n % 4 != 1)))
def test_any_call_may_fail(quiet: Store, session_id: SessionId, path: Path, faults: Faults, number: int) -> None:
    codes = list(CODES)
    faults.fail_call(number, of_the_file(codes[number % len(codes)]))
    acknowledged: list[object] = []

    _a_days_work(quiet, session_id, acknowledged.append)

    assert acknowledged == [[1, 2], 1, True, True, "approved", True, True]
    _check_a_days_work(quiet, session_id, path)


@pytest.mark.parametrize("number", range(1, 10))
@pytest.mark.parametrize(
    "error", [of_the_file("SQLITE_FULL"), of_the_file("SQLITE_IOERR_FSYNC"), MemoryError(), SystemExit(1)], ids=repr
)
def test_any_commit_may_fail(
    quiet: Store, session_id: SessionId, path: Path, faults: Faults, number: int, error: BaseException
) -> None:
    for place in range(number, number + 3):
        faults.fail_commit(place, error)

    _a_days_work(quiet, session_id, lambda acknowledged: None)

    _check_a_days_work(quiet, session_id, path)


@pytest.mark.parametrize("error", UNFORESEEN, ids=repr)
def test_writer_outlives_what_nobody_foresaw(
    quiet: Store, session_id: SessionId, faults: Faults, error: BaseException
) -> None:
    rung: list[str] = []
    quiet.bus.subscribe(lambda topic, version: rung.append(topic))

    with faults.failing(lambda: error):
        future = quiet.events.record(Change(session_id=session_id, events=[Text(content="kept")]))
        problem = eventually(lambda: quiet.health.problem)
        waiting = quiet.waiting
    future.result(30)

    assert waiting == 1
    assert type(error).__name__ in problem.happened
    assert problem.next_step
    assert _texts(quiet, session_id) == ["kept"]
    eventually(lambda: rung.count(HEALTH) == 2)
    assert quiet.health.ok


def test_trouble_is_told_once_and_told_again_when_it_changes(
    quiet: Store, session_id: SessionId, faults: Faults
) -> None:
    rung: list[str] = []
    quiet.bus.subscribe(lambda topic, version: rung.append(topic))

    with faults.failing(lambda: of_the_file("SQLITE_FULL")):
        future = quiet.events.record(Change(session_id=session_id, events=[Text(content="kept")]))
        eventually(lambda: "full" in str(quiet.health.problem))
        began = faults.calls
        eventually(lambda: faults.calls > began + 5)
        told = rung.count(HEALTH)
        with faults.failing(lambda: of_the_file("SQLITE_BUSY")):
            eventually(lambda: "locked" in str(quiet.health.problem))
    future.result(30)

    assert told == 1
    eventually(lambda: rung.count(HEALTH) == 3)


def test_connection_after_a_failure_is_as_careful_as_the_first(store: Store, path: Path, faults: Faults) -> None:
    pragmas: list[int] = []
    eventually(lambda: store.waiting == 0)
    faults.on_connect = lambda connection: connection.create_function("seen", 1, pragmas.append)
    faults.fail_commit(1, of_the_file("SQLITE_FULL"))
    store.sessions.insert(Launch(prompt="x", working_directory="/"))
    execute(path, "CREATE TRIGGER look AFTER INSERT ON sessions BEGIN SELECT seen((SELECT synchronous FROM p)); END")
    execute(path, "CREATE VIEW p AS SELECT synchronous FROM pragma_synchronous")

    store.sessions.insert(Launch(prompt="x", working_directory="/"))

    assert pragmas == [2]


# -- one event that is a burden --------------------------------------------------------------------------------------


def test_event_of_50_megabytes(quiet: Store, session_id: SessionId) -> None:
    large = Text(content="\U0001f600\0x" * 3_500_000 + "end")
    beside = [
        quiet.events.record(Change(session_id=session_id, events=[Text(content=str(number))])) for number in range(3)
    ]

    event_id = quiet.events.insert(session_id, large)
    [*_, stored] = quiet.events.of_session(session_id)

    assert len(stored.raw) > 50_000_000
    assert (stored.id, stored.event) == (event_id, large)
    assert all(future.done() for future in beside)


class _Opaque:
    def __repr__(self) -> str:
        raise ValueError("not even shown")


def _deep(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"deeper": value}
    return value


def _endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    "value",
    [{"x": {1, 2}}, {"x": b"bytes"}, {("a", "b"): 1}, _deep(100_000), _endless(), {"x": object()}, {"x": _Opaque()}],
    ids=["set", "bytes", "tuple key", "deep", "endless", "object", "opaque"],
)
def test_event_that_json_cannot_hold_is_kept_as_it_can_be(
    quiet: Store, session_id: SessionId, value: dict[str, Any]
) -> None:
    events = [Text(content="before"), ToolUse(id="t", name="Odd", input=value), Text(content="after")]

    ids = quiet.events.append(session_id, events)
    stored = quiet.events.of_session(session_id)

    assert [event.id for event in stored] == ids == [1, 2, 3]
    assert [event.type for event in stored] == ["text", "tool_use", "text"]
    assert "not JSON" in stored[1].raw


def test_numbers_beyond_sqlites_cost_no_event(quiet: Store, session_id: SessionId) -> None:
    change = Change(
        session_id=session_id,
        events=[Text(content="kept")],
        columns={"agent_pid": 10**30, "model": "\ud800", "agent": ["odd"]},
        cost_usd=float("nan"),
        duration_ms=float("inf"),
        num_turns=10**30,
    )

    quiet.events.record(change).result(30)
    session = quiet.sessions.get(session_id)

    assert _texts(quiet, session_id) == ["kept"]
    assert (session.agent_pid, session.model, session.agent) == (None, "\ufffd", "['odd']")
    assert (session.cost_usd, session.duration_ms) == (0.0, 0.0)


def test_threads_that_write_through_bad_times_lose_nothing(
    quiet: Store, session_id: SessionId, path: Path, faults: Faults
) -> None:
    for number in range(3, 200, 7):
        faults.fail_call(number, of_the_file(list(CODES)[number % len(CODES)]))
    acknowledged: list[str] = []

    def write(name: int) -> None:
        for place in range(20):
            content = f"{name}.{place}"
            quiet.events.insert(session_id, Text(content=content, uuid=content))
            acknowledged.append(content)

    threads = [threading.Thread(target=write, args=[name]) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(acknowledged) == 160
    assert sorted(_texts(quiet, session_id)) == sorted(acknowledged)
    for name in range(8):
        own = [text for text in _texts(quiet, session_id) if text.startswith(f"{name}.")]
        assert own == [f"{name}.{place}" for place in range(20)]
    assert integrity(path) == "ok"
