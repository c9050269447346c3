"""The agents' thread: whatever fails at its start or later, it says so, and agents are run again."""

from __future__ import annotations

import ast
import asyncio
import importlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lulu import runtime
from lulu.engine import host as host_module
from lulu.engine.host import AgentHost
from lulu.engine.worker import Worker
from lulu.model.actors import Actor, Role
from lulu.model.commands import StartSession
from lulu.model.sessions import Launch, new_session_id
from lulu.server.routes.health import health_route
from lulu.settings import Settings
from lulu.store import bus
from lulu.store.parts.commands import Commands
from lulu.store.sqlite import writer
from tests.support import ROOT, eventually

OWNER = Actor(role=Role.OWNER, name="this computer")
NO_FILE = OSError(24, "Too many open files")

#: What the agents' thread calls before it takes a command, and while it works: where, and the name there.
STEPS: dict[str, tuple[Any, str]] = {
    "a loop": (asyncio, "new_event_loop"),
    "the loop set": (asyncio, "set_event_loop"),
    "a semaphore": (asyncio, "Semaphore"),
    "the bus": (bus.Bus, "subscribe"),
    "a task": (asyncio, "create_task"),
    "a wait": (asyncio, "wait"),
    "the recovery": (host_module, "recover"),
    "another thread": (asyncio, "to_thread"),
    "the import": (importlib, "import_module"),
    "pending commands": (Commands, "pending"),
    "a repeated step": (AgentHost, "_repeat"),
    "a worker": (AgentHost, "_worker"),
    "a look": (Worker, "watch"),
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setattr(host_module, "BEGIN_AGAIN", 0.05)
    monkeypatch.setattr(host_module, "WATCH_SECONDS", 0.05)
    yield Settings(data_dir=tmp_path / "lulu", demo_speed=0.0, agent="demo")
    runtime.stop()


def fail(monkeypatch: pytest.MonkeyPatch, step: str, fails: Callable[[int], bool]) -> list[int]:
    """Let those calls of this step fail that ``fails`` says, by their number; those that did."""
    place, name = STEPS[step]
    real = getattr(place, name)
    calls, failed = [0], list[int]()

    def call(*given: Any, **named: Any) -> Any:
        if threading.current_thread().name == "agents" or given[:1] == ("lulu.agent.client",):
            calls[0] += 1
            if fails(calls[0]):
                failed.append(calls[0])
                raise NO_FILE
        return real(*given, **named)

    monkeypatch.setattr(place, name, call)
    return failed


def ask_for_help(lulu: runtime.Runtime) -> str:
    """Start a session that only says what the demo agent can do; its id."""
    session_id = new_session_id()
    launch = Launch(prompt="/help", working_directory=str(Path.cwd()), agent="demo")
    lulu.store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))
    return session_id


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_once_stops_nothing(
    step: str, number: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, step, lambda call: call == number)

    lulu = runtime.start(settings)
    session_id = ask_for_help(lulu)

    # Where it was the session's own step, its turn says so; the next one goes well in any case.
    eventually(lambda: lulu.store.sessions.get(session_id).status in {"completed", "failed"}, timeout=30)
    second = ask_for_help(lulu)
    eventually(lambda: lulu.store.sessions.get(second).status == "completed", timeout=30)
    eventually(lambda: lulu.host.problem is None, timeout=30)


@pytest.mark.parametrize("step", [step for step in STEPS if step not in {"the recovery", "a look"}])
def test_a_step_that_goes_on_failing_is_told_until_it_works(
    step: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_broken = True
    fail(monkeypatch, step, lambda call: is_broken)

    lulu = runtime.start(settings)
    session_id = ask_for_help(lulu)
    eventually(lambda: lulu.host.problem is not None, timeout=30)
    problem, status = lulu.host.problem, lulu.store.sessions.get(session_id).status
    asked = TestClient(Starlette(routes=[health_route(lambda: lulu.store.health, lambda: lulu.host.problem)]))
    told = asked.get("/healthz").json()
    is_broken = False

    eventually(lambda: lulu.store.sessions.get(session_id).status == "completed", timeout=30)
    eventually(lambda: lulu.host.problem is None)
    assert status == "starting"
    assert problem is not None
    assert "Too many open files" in problem.happened
    assert problem.safe
    assert problem.next_step
    assert (told["status"], told["agents"]) == ("degraded", {"ok": False, "problem": "OSError"})
    assert asked.get("/healthz").json()["status"] == "ok"


def test_it_stops_while_it_fails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "BEGIN_AGAIN", 60.0)
    fail(monkeypatch, "a loop", lambda call: True)
    lulu = runtime.start(settings)

    runtime.stop()

    assert not lulu.host._thread.is_alive()


def test_a_writer_that_stumbles_writes_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lulu = runtime.start(settings)
    commit, calls = writer.WriterThread._commit, list[int]()

    def once(self: Any, *given: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise NO_FILE
        commit(self, *given)

    monkeypatch.setattr(writer.WriterThread, "_commit", once)
    first = lulu.store.access.note_visit(1)

    with pytest.raises(Exception, match=r"."):
        first.result(30)
    lulu.store.access.note_visit(1).result(30)


#: Every thread and task that Lulu begins, by file, and who hears of its failure.
TOPS = {
    "lulu/access/guard.py": {
        "asyncio.ensure_future(self._app)": "awaited in _serve_socket",
        "asyncio.ensure_future(self._until_ended)": "ends the socket",
    },
    "lulu/access/links.py": {"threading.Thread(_open)": "logs"},
    "lulu/engine/admission.py": {"asyncio.create_task(verdict_on)": "raised in waits, for its session"},
    "lulu/agent/client.py": {"asyncio.ensure_future(self._client.connect)": "awaited"},
    "lulu/agent/demo/calls.py": {"asyncio.ensure_future(performance)": "awaited"},
    "lulu/agent/demo/transport.py": {
        "asyncio.create_task(self._work)": "ends the demo agent, as a crash does",
        "asyncio.create_task(work)": "the demo's background command",
    },
    "lulu/agent/demo/turn.py": {"asyncio.ensure_future(script)": "awaited in run"},
    "lulu/trust/folder_files.py": {"threading.Thread(work)": "raised where the look is awaited"},
    "lulu/engine/host.py": {
        "threading.Thread(self._run)": "logs, tells the pages, begins anew",
        "asyncio.create_task(self._recover_and_work)": "awaited in _main: begins anew",
        "asyncio.create_task(self._repeat)": "awaited in _main: begins anew",
        "asyncio.create_task(self._watch)": "awaited in _main: begins anew",
        "asyncio.create_task(self._stop.wait)": "awaited in _main",
    },
    "lulu/engine/process/agent_process.py": {
        "asyncio.create_task(self.start)": "awaited",
        "asyncio.create_task(stopped.wait)": "awaited",
    },
    "lulu/runtime.py": {
        "asyncio.create_task(_tell_later)": "every failure of _tell is told and tried again",
        "asyncio.create_task(_spare_what_stays)": "logs",
    },
    "lulu/store/sqlite/file.py": {"threading.Thread(check.set_result)": "_damage logs"},
    "lulu/store/sqlite/writer.py": {"threading.Thread(self._run)": "logs, answers who waits, goes on"},
    "lulu/ui/guest_app.py": {"threading.Thread(_follow)": "logs, ends the process, which is started again"},
    "lulu/server/push/doorbell.py": {
        "asyncio.create_task(asyncio.to_thread)": "awaited by each bell",
        "asyncio.create_task(part)": "raised in serve",
    },
    "lulu/server/guests/supervisor.py": {"asyncio.ensure_future(work)": "_done logs"},
    "lulu/server/connections/protocols.py": {
        "asyncio.get_running_loop().create_task(self._encrypt)": "logs, ends the connection"
    },
    "lulu/server/guests/proxy.py": {
        "asyncio.ensure_future(receive)": "raised in _hand_on",
        "asyncio.ensure_future(self._connected)": "raised in _hand_on",
        "asyncio.ensure_future(_from_browser)": "ends the socket",
        "asyncio.ensure_future(_to_browser)": "ends the socket",
    },
    "lulu/server/setup.py": {
        "asyncio.create_task(_close_late)": "logs, goes on",
        "asyncio.create_task(_take_all)": "logs",
    },
    "lulu/engine/worker.py": {
        "asyncio.get_running_loop().create_task(self._guarded)": "_guarded logs, and fails the turn",
    },
}
_BEGIN = ("create_task", "ensure_future", "Thread", "run_coroutine_threadsafe", "start_new_thread")


def test_every_thread_and_task_has_a_top_that_somebody_hears_of() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "lulu").rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        begun = {f"{ast.unparse(call.func)}({_what(call)})" for call in calls if _name(call.func) in _BEGIN}
        if begun:
            found[path.relative_to(ROOT).as_posix()] = begun

    assert found == {name: set(tops) for name, tops in TOPS.items()}


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _what(call: ast.Call) -> str:
    """What runs in it."""
    given = next((one.value for one in call.keywords if one.arg == "target"), None) or call.args[0]
    given = given.body if isinstance(given, ast.Lambda) else given
    return ast.unparse(given.func if isinstance(given, ast.Call) else given)
