"""The process in which guests' pages run (``lulu/ui/guest_server.py``): there while guests are, and a while longer.

Python runs one thread at a time: beside twenty guests' pages, which each run for every event, an agent's commit would
wait for its turn some twenty times. In a process of their own, at a lower priority, they take nothing from agents or
from their owner. And that process can do less: it has no writer, no agent and no token of anybody.

It is told on its standard input what to begin with, then each ring of the bus; when that ends, it ends. It listens at
a socket in a folder that only this user can enter.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import lulu
from lulu import runtime
from lulu.web.rings import Rings

log = logging.getLogger(__name__)

A = TypeVar("A")
S = TypeVar("S")
T = TypeVar("T")

#: What is run, as ``python -m`` finds it.
MODULE = "lulu.ui.guest_server"
#: Seconds without a guest after which the process ends; its start takes a second or two.
LINGER = 300.0
#: Seconds between two starts, at least: one that fails must not fail all the time.
AGAIN = 5.0
#: Bytes of rings that it has not read: it hangs, and is ended.
_MOST_UNREAD = 1_000_000
_BACKLOG = 128
#: Streamlit's ``ConfigOption.DEFAULT_DEFINITION``.
_NOWHERE = "<default>"
#: Characters of the folder for temporary files that leave room for ours.
_LONGEST_PLACE = 75


class Option(Protocol):
    """One of Streamlit's options, as ``streamlit.config.get_config_options`` has them."""

    #: A file or a flag; ``_NOWHERE`` where nobody set it.
    where_defined: str
    #: Not to be given on a command line.
    sensitive: bool

    @property
    def value(self) -> Any:
        """What holds."""


class NoGuestProcess(Exception):
    """There is none now; a later try may find one."""

    def __init__(self) -> None:
        super().__init__("their process could not be started")


@dataclass(frozen=True)
class Running:
    """One such process."""

    process: asyncio.subprocess.Process
    #: Where it listens.
    socket: Path
    #: What it takes for the guard's word, and nothing else does.
    proof: str
    rings: Rings

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None


class GuestProcess:
    """Starts it when it is needed, tells it what rings, and ends it. Used in the server's loop."""

    def __init__(self, options: Callable[[], Mapping[str, Option]]) -> None:
        #: Streamlit's, as they hold here, by their names.
        self._options = options
        self._running: Running | None = None
        self._starting = asyncio.Lock()
        self._not_before = 0.0
        self._pages = 0
        self._tasks: set[asyncio.Future[Any]] = set()
        self._end_later: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The process, where there is one."""
        return self._running.process.pid if self._running is not None and self._running.is_alive else None

    def prepare(self) -> None:
        """Start it if there is none: somebody is about to ask for a page."""
        if self.pid is None and not self._starting.locked():
            self._later(self._prepare())

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Running]:
        """Around one guest's page. Raises ``NoGuestProcess``."""
        self._pages += 1
        if self._end_later is not None:
            self._end_later.cancel()
        try:
            # Whoever leaves meanwhile must not stop half of a start.
            yield await asyncio.shield(self._later(self._alive()))
        finally:
            self._pages -= 1
            self._end_when_unused()

    async def end(self) -> None:
        """End it now, and wait until it has: the file must have no reader when the writer closes it."""
        if self._end_later is not None:
            self._end_later.cancel()
        async with self._starting:
            await self._end()

    def beside(
        self, lifespan: Callable[[A], AbstractAsyncContextManager[S]]
    ) -> Callable[[A], AbstractAsyncContextManager[S]]:
        """The app's lifespan, at whose end this process is ended first."""

        @asynccontextmanager
        async def begin(app: A) -> AsyncIterator[S]:
            async with lifespan(app) as state:
                try:
                    yield state
                finally:
                    await self.end()

        return begin

    async def _prepare(self) -> None:
        with contextlib.suppress(NoGuestProcess):
            await self._alive()
        self._end_when_unused()

    def _end_when_unused(self) -> None:
        if self._end_later is not None:
            self._end_later.cancel()
        if self._pages == 0:
            self._end_later = asyncio.get_running_loop().call_later(LINGER, lambda: self._later(self._end_unused()))

    async def _end_unused(self) -> None:
        async with self._starting:
            if self._pages == 0:
                await self._end()

    async def _alive(self) -> Running:
        async with self._starting:
            found = self._running
            if found is not None and not found.is_alive:
                log.warning("the process of guests' pages has ended by itself (%s)", found.process.returncode)
                await self._end()
            if self._running is None:
                if time.monotonic() < self._not_before:
                    raise NoGuestProcess
                self._not_before = time.monotonic() + AGAIN
                self._running = await self._start()
            return self._running

    async def _start(self) -> Running:
        folder = _private_folder()
        proof = secrets.token_hex(32)
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(folder / "pages"))
                listener.listen(_BACKLOG)
                process = await _spawn(listener.fileno())
        except OSError as exc:
            shutil.rmtree(folder, ignore_errors=True)
            log.exception("the process of guests' pages cannot be started")
            raise NoGuestProcess from exc
        # Heard before the numbers are read: what rings between the two is told twice, never lost.
        rings = Rings(runtime.current().store.bus, self._tell)
        running = Running(process, folder / "pages", proof, rings)
        _write(running, self._beginning(proof))
        return running

    def _beginning(self, proof: str) -> dict[str, Any]:
        """What the process has to know before it serves a page."""
        current = runtime.current()
        return {
            "proof": proof,
            "settings": current.settings.model_dump(mode="json"),
            "options": _set_by_somebody(self._options()),
            "bus": asdict(current.store.bus.state()),
        }

    def _tell(self, rung: dict[str, int]) -> None:
        running = self._running
        if running is None or not running.is_alive:
            return
        _write(running, asdict(runtime.current().store.bus.state(rung)))
        stdin = running.process.stdin
        if stdin is not None and stdin.transport.get_write_buffer_size() > _MOST_UNREAD:
            log.warning("the process of guests' pages hangs and is ended")
            _kill(running)

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        running.rings.close()
        _kill(running)
        await running.process.wait()
        if running.process.stdin is not None:
            running.process.stdin.close()
        shutil.rmtree(running.socket.parent, ignore_errors=True)

    def _later(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _set_by_somebody(options: Mapping[str, Option]) -> dict[str, Any]:
    found = options.items()
    return {name: one.value for name, one in found if one.where_defined != _NOWHERE and not one.sensitive}


def _private_folder() -> Path:
    """A new folder for the socket, which only this user can enter."""
    # A socket's address has room for a hundred characters.
    there = None if len(tempfile.gettempdir()) <= _LONGEST_PLACE else "/tmp"  # nosec B108  # mkdtemp makes it 0700
    return Path(tempfile.mkdtemp(prefix="lulu-", dir=there))


async def _spawn(listener: int) -> asyncio.subprocess.Process:
    # ``-P``: no module is found in the folder that Lulu was started in, where agents work.
    # A group of its own: Ctrl+C in the terminal is for Lulu, which ends it in its turn.
    root = str(Path(lulu.__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", MODULE, str(listener)),
        stdin=asyncio.subprocess.PIPE,
        pass_fds=[listener],
        process_group=0,
        env={**os.environ, "PYTHONPATH": path},
    )


def _write(running: Running, message: Mapping[str, Any]) -> None:
    if running.process.stdin is not None and not running.process.stdin.is_closing():
        running.process.stdin.write(json.dumps(message).encode() + b"\n")


def _kill(running: Running) -> None:
    with contextlib.suppress(ProcessLookupError):
        running.process.kill()
