"""The process of guests' pages where something goes wrong: what is left of it is nothing, and the next one comes."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from lulu import runtime
from lulu.server.guests import supervisor
from lulu.server.guests.socket_folder import SocketFolder
from lulu.server.guests.supervisor import GuestProcess, NoGuestProcess
from lulu.store import Bus
from tests.server import stub_guests
from tests.server.guests import OPTIONS, SET, Told, kept, until

pytestmark = pytest.mark.usefixtures("stubbed")


def test_one_that_ended_is_started_again_but_not_all_the_time(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "AGAIN", 1_000.0)

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


def test_where_none_can_be_started_nothing_is_left(
    told: Told, stubbed: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with kept() as guests:
            with pytest.raises(NoGuestProcess):
                async with guests.page():
                    pass

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    asyncio.run(scenario())

    assert list(stubbed.iterdir()) == []
    assert "cannot be started" in caplog.text


def test_one_that_does_not_read_is_ended(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB_GUESTS", "deaf")
    monkeypatch.setattr(supervisor, "_MOST_UNREAD", 10_000)

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
        begun, spawn = asyncio.Event(), supervisor._spawn

        async def slow(address: Path) -> asyncio.subprocess.Process:
            begun.set()
            await left.wait()
            return await spawn(address)

        left = asyncio.Event()
        monkeypatch.setattr(supervisor, "_spawn", slow)
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


def test_no_module_stands_in_the_place_of_another_s(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(stub_guests.__file__, root / "a_stub.py")
    for folder in (root, Path.cwd(), runtime.current().settings.data_dir):
        (folder / "pathlib.py").write_text("raise SystemExit('a module of somebody else')")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(supervisor, "_ROOT", str(root))
    monkeypatch.setattr(supervisor, "MODULE", "a_stub")

    async def scenario() -> None:
        async with kept() as guests, guests.page():
            await until(told.lines)

    asyncio.run(scenario())

    assert told.lines()[0]["options"] == SET


def test_one_that_does_not_answer_is_ended_for_the_next_page(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "AGAIN", 0.0)

    async def scenario() -> None:
        async with kept() as guests, guests.page() as running:
            guests.failed(running)
            guests.failed(running)
            await until(lambda: not running.is_alive)
            async with guests.page() as again:
                guests.failed(running)
                assert again.is_alive
                assert again.process.pid != running.process.pid

    asyncio.run(scenario())


def test_what_goes_wrong_at_the_start_leaves_nothing(
    told: Told, stubbed: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {"server.x": SimpleNamespace(value=object(), where_defined="a file", sensitive=False)}
    guests = GuestProcess(lambda: broken)

    async def scenario() -> None:
        with pytest.raises(NoGuestProcess):
            async with guests.page():
                pass
        await guests.end()

    asyncio.run(scenario())

    assert list(stubbed.iterdir()) == []
    assert bus._listeners == []
    assert "cannot be started" in caplog.text


def test_what_killed_processes_left_is_removed_at_the_next_start(stubbed: Path) -> None:
    left, live = SocketFolder(stubbed), SocketFolder(stubbed)
    os.close(left._mark)

    @asynccontextmanager
    async def lifespan(app: str) -> AsyncIterator[str]:
        yield app

    async def scenario() -> None:
        async with GuestProcess(lambda: OPTIONS).beside(lifespan)("app"):
            pass

    asyncio.run(scenario())

    assert list(stubbed.iterdir()) == [live.path]
    live.remove()


def test_lulu_s_end_does_not_wait_for_a_process_that_does_not_end(
    told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "END_WITHIN", 0.0)
    order: list[str] = []

    @asynccontextmanager
    async def lifespan(app: str) -> AsyncIterator[str]:
        yield app
        order.append("ended")

    async def scenario() -> None:
        guests = GuestProcess(lambda: OPTIONS)
        async with guests.beside(lifespan)("app"), guests.page() as running:
            wait = running.process.wait
            monkeypatch.setattr(running.process, "wait", asyncio.Event().wait)
        await wait()
        with pytest.raises(NoGuestProcess):
            async with guests.page():
                pass

    asyncio.run(scenario())

    assert order == ["ended"]
    assert "Lulu stops without it" in caplog.text
