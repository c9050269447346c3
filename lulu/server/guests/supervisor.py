"""Start and end the process of guests' pages (``lulu/ui/guest_app.py``).

It runs while there are guests. Python runs one thread at a time. Beside twenty guests' pages, each commit of an agent
would wait some twenty times. In their own process, at a lower priority, they do not slow down agents or owners. That
process has no writer, no agent and no tokens. Its standard input has its configuration, then changes of the bus. It
ends when that ends. It listens at a socket in a folder that only this user can enter.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import lulu
from lulu import runtime
from lulu.server.guests.socket_folder import SocketFolder, sweep
from lulu.server.push.bus_bridge import Rings
from lulu.store import ACCESS, BusState

log = logging.getLogger(__name__)

A = TypeVar("A")
S = TypeVar("S")
T = TypeVar("T")

#: The module to run, as for ``python -m``.
MODULE = "lulu.ui.guest_app"
#: Added to the niceness, so that agents and owners come first.
STAND_BACK = 10
#: Runs the module, at that priority from the first import on. Our modules come last in the search path, so that neither
#: they nor files in the start folder can replace other modules.
_RUN = (
    "import os, sys; os.nice(int(sys.argv.pop(1))); sys.path.append(sys.argv.pop(1)); "
    "import runpy; runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
_ROOT = str(Path(lulu.__file__).parents[1])
#: Seconds without a guest after which the process ends. Its start takes a second or two.
LINGER = 300.0
#: The least seconds between two starts, so that a failing start does not repeat all the time.
AGAIN = 5.0
#: The most seconds that the stop of Lulu waits for the end of this process.
END_WITHIN = 2.0
#: The most unread bytes. A process with more hangs, and is ended.
_MOST_UNREAD = 1_000_000
_BACKLOG = 1_024
#: The most bytes of the temporary folder's path. A socket's address may have about a hundred.
_LONGEST_PLACE = 75
#: Streamlit's ``ConfigOption.DEFAULT_DEFINITION``.
_NOWHERE = "<default>"
#: Kinds of topics that a guest's page, or its authentication, depends on.
_TOLD = frozenset({"session", "row", "log", "text", ACCESS})


class Option(Protocol):
    """One option of Streamlit, as in ``streamlit.config.get_config_options``."""

    #: A file or a flag; ``_NOWHERE`` if it was not set.
    where_defined: str
    #: Whether it must not be on a command line.
    sensitive: bool

    @property
    def value(self) -> Any:
        """The current value."""


class NoGuestProcess(Exception):
    """There is no guest process now. A later try may find one."""

    def __init__(self) -> None:
        super().__init__("there is no process for it")


@dataclass(frozen=True)
class Running:
    """One running guest process."""

    process: asyncio.subprocess.Process
    folder: SocketFolder
    #: The secret that signs identity headers for this process only.
    proof: str
    rings: Rings
    #: The time of its start (seconds of ``time.monotonic``).
    since: float

    @property
    def socket(self) -> Path:
        """The path of its socket."""
        return self.folder.socket

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self.process.returncode is None

    def kill(self) -> None:
        """Kill the process."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


class GuestProcess:
    """Starts the process when needed, passes changes of the bus to it, and ends it.

    Used in the server's loop.
    """

    def __init__(self, options: Callable[[], Mapping[str, Option]]) -> None:
        #: Streamlit's current options, by name.
        self._options = options
        self._running: Running | None = None
        self._starting = asyncio.Lock()
        self._not_before = 0.0
        self._is_over = False
        self._pages = 0
        #: Whether the process knows the present versions of the bus. It gets none while there are no pages.
        self._is_current = False
        self._tasks: set[asyncio.Future[Any]] = set()
        self._end_later: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the process, or ``None``."""
        return self._running.process.pid if self._running is not None and self._running.is_alive else None

    def prepare(self) -> None:
        """Start the process if there is none, because a page will soon be requested."""
        if not self._starting.locked():
            self._later(self._prepare())

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Running]:
        """Return a context for one guest's page. Raises ``NoGuestProcess``."""
        self._pages += 1
        if self._end_later is not None:
            self._end_later.cancel()
        try:
            # A guest who leaves meanwhile must not cancel the start.
            running = await asyncio.shield(self._later(self._alive()))
            if not self._is_current:
                self._is_current = True
                _write(running, _message(runtime.current().store.bus.state()))
            yield running
        finally:
            self._pages -= 1
            self._end_when_unused()

    def failed(self, running: Running) -> None:
        """End a process that does not answer. The next page gets a new one."""
        if running.is_alive:
            log.warning("the process of guests' pages does not answer and is ended")
            running.kill()

    async def end(self) -> None:
        """End the process for good, and wait for its end. The writer must be the last to close the file."""
        self._is_over = True
        if self._end_later is not None:
            self._end_later.cancel()
        async with self._starting:
            await self._end()

    def beside(
        self, lifespan: Callable[[A], AbstractAsyncContextManager[S]]
    ) -> Callable[[A], AbstractAsyncContextManager[S]]:
        """Wrap the app's lifespan, so that the guest process ends before the rest."""

        @asynccontextmanager
        async def begin(app: A) -> AsyncIterator[S]:
            self._is_over = False
            async with lifespan(app) as state:
                try:
                    await asyncio.to_thread(sweep, _place())
                except Exception:
                    log.exception("what an earlier Lulu left is not removed")
                try:
                    yield state
                finally:
                    try:
                        async with asyncio.timeout(END_WITHIN):
                            await self.end()
                    except TimeoutError:
                        log.warning("the process of guests' pages does not end; Lulu stops without it")

        return begin

    async def _prepare(self) -> None:
        with contextlib.suppress(NoGuestProcess):
            await self._alive()
        self._end_when_unused()

    def _end_when_unused(self) -> None:
        if self._end_later is not None:
            self._end_later.cancel()
        if self._pages == 0 and not self._is_over:
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
                if self._is_over or time.monotonic() < self._not_before:
                    raise NoGuestProcess
                self._not_before = time.monotonic() + AGAIN
                self._running = await self._start()
            return self._running

    async def _start(self) -> Running:
        proof = secrets.token_hex(32)
        try:
            beginning = json.dumps(self._beginning(proof)).encode() + b"\n"
            folder = SocketFolder(_place())
            try:
                process = await _spawn(folder.socket)
            except BaseException:
                folder.remove()
                raise
        except Exception as exc:
            log.exception("the process of guests' pages cannot be started")
            raise NoGuestProcess from exc
        rings = Rings(runtime.current().store.bus, self._tell)
        running = Running(process, folder, proof, rings, time.monotonic())
        _write(running, beginning)
        _write(running, _message(runtime.current().store.bus.state()))
        self._is_current = True
        return running

    def _beginning(self, proof: str) -> dict[str, Any]:
        """Return the configuration of the process, without the versions of the bus."""
        current = runtime.current()
        return {
            "proof": proof,
            "settings": current.settings.model_dump(mode="json"),
            "database": str(current.store.path),
            "options": _set_by_somebody(self._options()),
        }

    def _tell(self, rung: dict[str, int]) -> None:
        running = self._running
        topics = [topic for topic in rung if topic.partition(":")[0] in _TOLD]
        if running is None or not running.is_alive or not topics:
            return
        if self._pages == 0:
            self._is_current = False
            return
        _write(running, _message(runtime.current().store.bus.state(topics)))
        stdin = running.process.stdin
        if stdin is not None and stdin.transport.get_write_buffer_size() > _MOST_UNREAD:
            self.failed(running)

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        running.rings.close()
        running.kill()
        if running.process.stdin is not None:
            running.process.stdin.close()
        await running.process.wait()
        running.folder.remove()

    def _later(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Future[Any]) -> None:
        """Log the failure of a task: its caller may be gone."""
        self._tasks.discard(task)
        problem = None if task.cancelled() else task.exception()
        if problem is not None and not isinstance(problem, NoGuestProcess):
            log.error("work on the process of guests' pages failed", exc_info=problem)


def _message(state: BusState) -> bytes:
    return json.dumps({"floor": state.floor, "versions": state.versions}).encode() + b"\n"


def _write(running: Running, line: bytes) -> None:
    if running.process.stdin is not None and not running.process.stdin.is_closing():
        running.process.stdin.write(line)


def _set_by_somebody(options: Mapping[str, Option]) -> dict[str, Any]:
    found = options.items()
    return {name: one.value for name, one in found if one.where_defined != _NOWHERE and not one.sensitive}


def _place() -> Path:
    """Return the folder for temporary files, or /tmp if its path is too long."""
    place = tempfile.gettempdir()
    return Path(place if len(os.fsencode(place)) <= _LONGEST_PLACE else "/tmp")  # nosec B108  # mkdtemp makes it 0700


async def _spawn(address: Path) -> asyncio.subprocess.Process:
    """Start the process with a socket at this address."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(_BACKLOG)
        return await asyncio.create_subprocess_exec(
            # ``-P``: no file of the start folder is imported instead of another module.
            *(sys.executable, "-P", "-c", _RUN, str(STAND_BACK), _ROOT, MODULE, str(listener.fileno())),
            stdin=asyncio.subprocess.PIPE,
            # In the folder of its socket, where there are no files of a person.
            cwd=address.parent,
            pass_fds=[listener.fileno()],
            # Ctrl+C in the terminal is for Lulu, and Lulu then ends this process.
            process_group=0,
        )
