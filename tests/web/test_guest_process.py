"""The process of guests' pages, as Lulu's own keeps it: when it starts, what it is told, and that it ends."""

from __future__ import annotations

import asyncio
import json
import stat
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from streamlit.config_option import ConfigOption

from lulu import runtime
from lulu.settings import Settings
from lulu.store import Bus
from lulu.web import guest_process
from lulu.web.guest_process import GuestProcess, NoGuestProcess, Running
from tests.support import eventually

OPTIONS = {
    "server.maxMessageSize": SimpleNamespace(value=7, where_defined="a flag", sensitive=False),
    "server.cookieSecret": SimpleNamespace(value="secret", where_defined="a file", sensitive=True),
    "logger.level": SimpleNamespace(value="info", where_defined=ConfigOption.DEFAULT_DEFINITION, sensitive=False),
}
#: Those that somebody has set, and that may be told.
SET = {"server.maxMessageSize": 7}


async def until(holds: Callable[[], object]) -> None:
    """Wait until it holds, while the loop goes on."""
    await asyncio.to_thread(eventually, holds)


class Told:
    """What the stub was told, line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[dict[str, Any]]:
        """Every whole line."""
        text = self.path.read_text() if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def number(self, topic: str) -> int | None:
        """The last number of a topic."""
        found: list[int] = [
            line.get("bus", line)["versions"][topic]
            for line in self.lines()
            if topic in line.get("bus", line)["versions"]
        ]
        return found[-1] if found else None


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    path = tmp_path / "told"
    monkeypatch.setenv("STUB_GUESTS", str(path))
    return Told(path)


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture(autouse=True)
def stubbed(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stub in the place of Streamlit, a Lulu that has only a bus, and the folder for temporary files."""
    place = tmp_path / "t"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setattr(guest_process, "_LONGEST_PLACE", 200)
    monkeypatch.chdir(place)
    monkeypatch.setattr(guest_process, "MODULE", "tests.web.stub_guests")
    current = SimpleNamespace(settings=Settings(data_dir=tmp_path / "data"), store=SimpleNamespace(bus=bus))
    monkeypatch.setattr(runtime, "current", lambda: current)
    return place


@asynccontextmanager
async def kept() -> AsyncIterator[GuestProcess]:
    """One that is ended with the test."""
    guests = GuestProcess(lambda: OPTIONS)
    try:
        yield guests
    finally:
        await guests.end()


def test_what_it_is_told_first_is_all_that_it_needs(told: Told, bus: Bus) -> None:
    async def scenario() -> Running:
        bus.ring(["session:abc"])
        async with kept() as guests, guests.page() as running:
            await until(told.lines)
            return running

    running = asyncio.run(scenario())
    (first,) = told.lines()

    assert first["proof"] == running.proof
    assert len(running.proof) == 64
    assert first["options"] == SET
    assert Settings(**first["settings"]) == runtime.current().settings
    assert first["bus"]["versions"] == {"session:abc": bus.version("session:abc")}
    assert first["bus"]["floor"] == bus.version("never rung")


def test_it_is_told_each_ring_that_comes_while_it_runs(told: Told, bus: Bus) -> None:
    async def scenario() -> None:
        async with kept() as guests, guests.page():
            for _ in range(3):
                bus.ring(["session:abc", "access"])
                await until(lambda: told.number("access") == bus.version("access"))

    asyncio.run(scenario())

    assert told.number("session:abc") == bus.version("session:abc")
    assert bus._listeners == []


def test_pages_share_one_process_and_its_socket_is_in_a_private_folder(told: Told, stubbed: Path) -> None:
    async def scenario() -> None:
        async with kept() as guests, guests.page() as first, guests.page() as second:
            assert first is second
            assert guests.pid == first.process.pid
            assert first.socket.is_socket()
            assert first.socket.parent.parent == stubbed
            assert stat.S_IMODE(first.socket.parent.stat().st_mode) == 0o700
            command = " ".join(psutil.Process(first.process.pid).cmdline())
            assert first.proof not in command
            assert first.proof not in str(psutil.Process(first.process.pid).environ())

    asyncio.run(scenario())

    assert list(stubbed.iterdir()) == []


def test_a_long_place_for_temporary_files_is_not_used(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> Path:
        async with kept() as guests, guests.page() as running:
            assert running.socket.is_socket()
            return running.socket

    monkeypatch.setattr(guest_process, "_LONGEST_PLACE", 3)
    path = asyncio.run(scenario())

    assert path.parent.parent == Path("/tmp")
    assert not path.parent.exists()


def test_it_ends_when_no_guest_was_there_for_a_while(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with kept() as guests:
            async with guests.page() as running:
                await asyncio.sleep(0)
                assert guests._end_later is None
            assert guests.pid is not None
            monkeypatch.setattr(guest_process, "LINGER", 0.0)
            async with guests.page() as again:
                assert again is running
            await until(lambda: guests.pid is None)
            assert not psutil.pid_exists(running.process.pid)

    asyncio.run(scenario())


def test_who_asks_for_the_page_next_finds_it_started(told: Told) -> None:
    async def scenario() -> None:
        async with kept() as guests:
            guests.prepare()
            guests.prepare()
            await until(lambda: guests.pid)
            first = guests.pid
            guests.prepare()
            async with guests.page() as running:
                assert running.process.pid == first
                await until(told.lines)
            assert guests._end_later is not None

    asyncio.run(scenario())

    assert len([line for line in told.lines() if "proof" in line]) == 1


def test_one_that_ended_is_started_again_but_not_all_the_time(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with kept() as guests:
            async with guests.page() as running:
                running.process.kill()
                await until(lambda: not running.is_alive)
            for _ in range(2):
                with pytest.raises(NoGuestProcess):
                    async with guests.page():
                        pass
            assert not running.socket.parent.exists()
            monkeypatch.setattr(guests, "_not_before", 0.0)
            async with guests.page() as again:
                assert again.is_alive
                assert again.proof != running.proof

    asyncio.run(scenario())


def test_one_that_does_not_read_is_ended(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB_GUESTS", "deaf")
    monkeypatch.setattr(guest_process, "_MOST_UNREAD", 10_000)

    async def scenario() -> None:
        async with kept() as guests, guests.page() as running:
            for number in range(2_000):
                bus.ring([f"session:{'x' * 200}{number}"])
                await asyncio.sleep(0)
                if not running.is_alive:
                    break
            await until(lambda: not running.is_alive)

    asyncio.run(scenario())


def test_who_leaves_during_the_start_leaves_nothing_half_done(
    told: Told, stubbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        begun, spawn = asyncio.Event(), guest_process._spawn

        async def slow(listener: int) -> asyncio.subprocess.Process:
            begun.set()
            await left.wait()
            return await spawn(listener)

        left = asyncio.Event()
        monkeypatch.setattr(guest_process, "_spawn", slow)
        async with kept() as guests:

            async def visit() -> None:
                async with guests.page():
                    await asyncio.Event().wait()

            visitor = asyncio.ensure_future(visit())
            await begun.wait()
            visitor.cancel()
            await asyncio.gather(visitor, return_exceptions=True)
            left.set()
            await until(lambda: guests.pid)
            assert guests._end_later is not None
            assert len(list(stubbed.glob("lulu-*"))) == 1

    asyncio.run(scenario())

    assert list(stubbed.iterdir()) == []


def test_no_module_is_found_in_the_folder_that_lulu_was_started_in(
    told: Told, stubbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stubbed / "json.py").write_text("raise SystemExit('a module of somebody else')")
    monkeypatch.delenv("PYTHONPATH", raising=False)

    async def scenario() -> None:
        async with kept() as guests, guests.page():
            await until(told.lines)

    asyncio.run(scenario())

    assert told.lines()[0]["options"] == SET


def test_the_app_s_end_waits_for_its_end(told: Told) -> None:
    order: list[str] = []

    @asynccontextmanager
    async def lifespan(app: str) -> AsyncIterator[str]:
        yield app
        order.append("gone" if guests.pid is None else "there")

    async def scenario() -> int:
        async with guests.beside(lifespan)("app") as state:
            assert state == "app"
            async with guests.page() as running:
                return running.process.pid

    guests = GuestProcess(lambda: OPTIONS)
    pid = asyncio.run(scenario())

    assert order == ["gone"]
    assert not psutil.pid_exists(pid)
