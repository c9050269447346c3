"""The process of guests' pages, as Lulu's own keeps it: when it starts, what it is told, and that it ends."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from lulu import runtime
from lulu.server.guests import supervisor
from lulu.server.guests.supervisor import GuestProcess, Running
from lulu.settings import Settings
from lulu.store import Bus
from tests.server.guests import OPTIONS, SET, Told, kept, until

pytestmark = pytest.mark.usefixtures("stubbed")


def test_what_it_is_told_first_is_all_that_it_needs(told: Told, bus: Bus) -> None:
    async def scenario() -> Running:
        bus.ring(["session:abc"])
        async with kept() as guests, guests.page() as running:
            await until(lambda: len(told.lines()) == 2)
            return running

    running = asyncio.run(scenario())
    first, numbers = told.lines()

    assert first["proof"] == running.proof
    assert len(running.proof) == 64
    assert first["options"] == SET
    assert Settings(**first["settings"]) == runtime.current().settings
    assert first["database"] == str(runtime.current().store.path)
    assert numbers["versions"] == {"session:abc": bus.version("session:abc")}
    assert numbers["floor"] == bus.version("never rung")


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

    monkeypatch.setattr(supervisor, "_LONGEST_PLACE", 3)
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
            monkeypatch.setattr(supervisor, "LINGER", 0.0)
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


def test_rings_that_no_guest_hears_are_told_with_the_next_guest(told: Told, bus: Bus) -> None:
    async def scenario() -> None:
        async with kept() as guests:
            async with guests.page():
                await until(lambda: len(told.lines()) == 2)
            bus.ring(["session:abc", "access"])
            bus.ring(["session:abc"])
            await asyncio.sleep(0)
            async with guests.page():
                await until(lambda: told.number("session:abc") == bus.version("session:abc"))
                bus.ring(["sessions", "approvals", "health", "commands"])
                bus.ring(["row:abc"])
                await until(lambda: told.number("row:abc"))

    asyncio.run(scenario())

    assert len(told.lines()) == 4
    assert told.number("access") == bus.version("access")
    assert told.lines()[3]["versions"] == {"row:abc": bus.version("row:abc")}


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
