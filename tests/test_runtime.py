"""Start and stop as a whole, while the database cannot be written: Lulu starts, says so, and recovers by itself."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lulu import runtime
from lulu.engine import host as host_module
from lulu.engine.host import AgentHost
from lulu.errors import LuluError, SessionNotFound
from lulu.model.actors import Actor, Role
from lulu.model.commands import SendPrompt, StartSession
from lulu.model.events import System, Text
from lulu.model.sessions import Launch, SessionId, SessionStatus, new_session_id
from lulu.settings import Settings
from lulu.store import Change, Store
from lulu.store.sqlite import writer
from tests.conftest import Hold
from tests.store.faults import install, of_the_file
from tests.support import eventually

OWNER = Actor(role=Role.OWNER, name="this computer")

#: Makes the file unwritable until the function that it returns is called.
Break = Callable[[], Callable[[], None]]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    yield Settings(data_dir=tmp_path / "lulu", demo_speed=0.0, agent="demo")
    runtime.stop()


@pytest.fixture(params=["locked", "full"])
def unwritable(
    request: pytest.FixtureRequest, settings: Settings, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Break]:
    """A file that another program has locked (truly), or on a full disk (SQLite's answer in the place of each call)."""
    if request.param == "locked":
        yield lambda: hold(settings.database_path)
        return
    faults = install(monkeypatch)
    full = faults.failing(lambda: of_the_file("SQLITE_FULL"))
    entered: list[bool] = []

    def fill() -> Callable[[], None]:
        full.__enter__()
        entered.append(True)
        return lambda: leave(None)

    def leave(_: object) -> None:
        if entered:
            entered.clear()
            full.__exit__(None, None, None)

    yield fill
    leave(None)


def crashed(settings: Settings) -> list[SessionId]:
    """A file that a crash has left: two sessions that seem to run, one of them with a process that is gone."""
    store = Store.open(settings.database_path)
    launch = Launch(prompt="Tell me a story", working_directory=str(Path.cwd()), agent="demo")
    sessions = [store.sessions.insert(launch, status=SessionStatus.RUNNING) for _ in range(2)]
    columns = {"agent_pid": 2**22 + 1, "agent_started_at": 1.0}
    store.events.record(Change(session_id=sessions[0], columns=columns)).result(30)
    store.close()
    return sessions


def status_of(store: Store, session_id: SessionId) -> str:
    return store.sessions.get(session_id).status


def test_it_starts_on_a_file_that_cannot_be_written_and_recovers_when_it_can(
    settings: Settings, unwritable: Break
) -> None:
    sessions = crashed(settings)
    mend = unwritable()

    # It cannot be written until it has started.
    store = runtime.start(settings).store
    problem = eventually(lambda: store.health.problem)
    before = [status_of(store, one) for one in sessions]
    mend()
    eventually(lambda: [status_of(store, one) for one in sessions] == ["interrupted"] * 2, timeout=30)

    assert ("locked" in problem.happened) or ("full" in problem.happened)
    assert problem.next_step
    assert before == ["running"] * 2
    eventually(lambda: store.health.ok)
    assert store.sessions.get(sessions[0]).agent_pid is None
    notes = [one.event for one in store.events.of_session(sessions[0]) if isinstance(one.event, System)]
    assert [note.subtype for note in notes] == ["lulu_stopped"]
    store.commands.submit(SendPrompt(actor=OWNER, session_id=sessions[0], text="/help"))
    eventually(lambda: status_of(store, sessions[0]) == "completed", timeout=30)


def test_no_command_is_taken_before_the_recovery(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = crashed(settings)
    before = Store.open(settings.database_path)
    before.commands.submit(SendPrompt(actor=OWNER, session_id=sessions[0], text="/help"))
    before.close()
    monkeypatch.setattr(host_module, "RECOVERY_SECONDS", 0.0)

    store = runtime.start(settings).store
    eventually(lambda: status_of(store, sessions[0]) == "completed", timeout=30)

    kinds = [one.type for one in store.events.of_session(sessions[0])]
    assert kinds[:2] == ["system", "user"]
    assert status_of(store, sessions[1]) == "interrupted"


def test_a_session_that_cannot_be_closed_out_stops_no_other(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    broken, well = crashed(settings)
    with closing(sqlite3.connect(settings.database_path)) as connection, connection:
        connection.execute(
            f"CREATE TRIGGER refuse BEFORE UPDATE ON sessions WHEN new.id = '{broken}' "
            "BEGIN SELECT RAISE(ABORT, 'refused here'); END"
        )

    store = runtime.start(settings).store
    eventually(lambda: status_of(store, well) == "interrupted", timeout=30)
    store.commands.submit(SendPrompt(actor=OWNER, session_id=well, text="/help"))
    eventually(lambda: status_of(store, well) == "completed", timeout=30)

    assert status_of(store, broken) == "running"
    assert "refused here" in caplog.text


def test_the_servers_loop_goes_on_while_it_starts(settings: Settings, hold: Hold) -> None:
    crashed(settings)
    release = hold(settings.database_path)
    done: list[str] = []

    async def serve() -> None:
        async def meanwhile() -> None:
            # Released by the loop itself: one that is blocked would come to it only after the whole wait.
            await asyncio.sleep(0.2)
            done.append("released")
            await asyncio.to_thread(release)

        other = asyncio.ensure_future(meanwhile())

        def link(root: str) -> str:
            assert root == "http://here/"
            done.append("ready")
            return "link"

        async with runtime.serving(lambda: "http://here/", link, stopping=lambda: None):
            await other

    asyncio.run(serve())

    assert done == ["released", "ready"]


class Ring:
    """Something that only the garbage collector can let go."""

    def __init__(self) -> None:
        self.itself = self


def test_the_garbage_collector_spares_what_stays_and_lets_go_later_what_did_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "SPARE_EVERY", 0.02)

    def is_spared(one: object) -> bool:
        return not any(one is it for it in gc.get_objects())

    async def serve() -> list[bool]:
        rings = [Ring()]
        async with runtime.serving(lambda: "http://here/", lambda root: "link", stopping=lambda: None):
            while not is_spared(rings[0]):
                await asyncio.sleep(0)
            rings.append(Ring())
            before = is_spared(rings[1])
            gc.collect()
            after = is_spared(rings[1])
            found = [weakref.ref(ring) for ring in rings]
            rings.clear()
            gc.collect()
            kept = all(ring() is not None for ring in found)
            # They are spared that: only the look of each minute lets them go.
            while any(ring() is not None for ring in found):
                await asyncio.sleep(0.01)
        return [before, after, kept, runtime._spare in gc.callbacks]

    assert asyncio.run(asyncio.wait_for(serve(), 60)) == [False, True, True, False]
    assert gc.get_freeze_count() == 0


def test_what_leaves_in_a_quiet_minute_after_a_busy_one_is_let_go(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "SPARE_EVERY", 0.02)
    monkeypatch.setattr(runtime, "SPARE_AGAIN", 1_000)

    async def serve() -> Ring | None:
        async with runtime.serving(lambda: "http://here/", lambda root: "link", stopping=lambda: None):
            rings = [Ring()]
            ring = weakref.ref(rings[0])
            gc.collect()  # the busy minute
            looks = runtime._looks()
            while runtime._looks() == looks:
                await asyncio.sleep(0.01)
            rings.clear()
            while ring() is not None:
                await asyncio.sleep(0.01)
            return ring()

    assert asyncio.run(asyncio.wait_for(serve(), 60)) is None


def test_it_stops_while_the_file_cannot_be_written(settings: Settings, unwritable: Break) -> None:
    paced = settings.model_copy(update={"demo_speed": 1.0})
    store = runtime.start(paced).store
    sessions = [new_session_id() for _ in range(3)]
    for session_id in sessions:
        launch = Launch(prompt="Tell me a story", working_directory=str(Path.cwd()), agent="demo")
        store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))
    shown = [eventually(lambda one=one: store.events.live_text(one), timeout=30).text for one in sessions]  # type: ignore[misc]
    mend = unwritable()
    eventually(lambda: not store.health.ok)

    # It cannot be written until it has stopped.
    runtime.stop()
    mend()
    store = runtime.start(paced).store

    eventually(lambda: [status_of(store, one) for one in sessions] == ["interrupted"] * 3, timeout=30)
    for session_id, text in zip(sessions, shown, strict=True):
        [kept] = [one.event for one in store.events.of_session(session_id) if isinstance(one.event, Text)]
        assert kept.content.startswith(text)


def test_the_link_is_told_as_soon_as_it_can_be_made(
    settings: Settings, unwritable: Break, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds a token, which has to be written down."""
    crashed(settings)
    mend = unwritable()
    monkeypatch.setattr(writer, "PATIENCE", 0.2)

    def link(root: str) -> str:
        runtime.current().store.sessions.insert(Launch(prompt="in the place of a token", working_directory="/"))
        return "the link"

    async def serve() -> str:
        async with runtime.serving(lambda: "http://here/", link, stopping=lambda: None):
            before = capsys.readouterr()
            await asyncio.to_thread(mend)
            said = ""
            while "the link" not in said:
                await asyncio.sleep(0.05)
                said += capsys.readouterr().out
            return before.out + before.err

    told = asyncio.run(asyncio.wait_for(serve(), 120))

    assert "Lulu is ready" not in told
    assert "cannot make a link to sign in with yet" in told


def test_a_start_that_fails_lets_go_of_the_file(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(host: AgentHost) -> None:
        raise RuntimeError("no thread can be started")

    monkeypatch.setattr(AgentHost, "start", fails)
    with pytest.raises(RuntimeError, match="no thread"):
        runtime.start(settings)
    monkeypatch.undo()

    store = Store.open(settings.database_path)
    with pytest.raises(SessionNotFound):
        store.sessions.get("nobody")
    store.close()
    with pytest.raises(LuluError, match="not running"):
        runtime.current()
