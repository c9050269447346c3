"""The composition root: settings, store and host, built once a process. Pages reach them through ``current()``."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lulu.agent import AgentSetup, choose_agent
from lulu.data_folder import make_private
from lulu.engine.host import AgentHost
from lulu.errors import LuluError
from lulu.settings import Settings, forget_environment, load_settings
from lulu.store import Bus, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What one running Lulu is made of."""

    settings: Settings
    store: Store
    host: AgentHost
    #: The agent that new sessions get.
    agent: AgentSetup


_running: list[Runtime] = []

#: The end of the agents and of the database share this time (seconds). With the wait for visitors before it, and
#: Python's own end after it, Lulu is gone within 10 s.
STOP_SECONDS = 7.5
#: How often the garbage collector looks through everything (seconds), and how often more after anything has come:
#: Streamlit keeps for two minutes who left.
SPARE_EVERY, SPARE_AGAIN = 60.0, 3
#: Its generation of what it has looked at more than once.
_OLDEST = 2
#: Between two looks whether the link to sign in with can be made (seconds).
LINK_RETRY_SECONDS = 1.0


def start(settings: Settings) -> Runtime:
    """Open the store, recover, and take commands. Raises a ``LuluError`` that says what to do."""
    if _running:
        raise LuluError("Lulu is already running in this process.")
    make_private(settings.data_dir)
    store = Store.open(settings.database_path)
    try:
        host = AgentHost(store, settings)
        runtime = Runtime(settings=settings, store=store, host=host, agent=choose_agent(settings.agent))
        host.start()
    except BaseException:
        # Or nobody could open the file again, this process included.
        store.close()
        raise
    _running.append(runtime)
    return runtime


def look_on(settings: Settings, database: Path, bus: Bus) -> Runtime:
    """Read what another process's Lulu writes; ``bus`` gives the numbers of its bus. Nothing is started or written."""
    store = Store.beside(database, bus)
    host = AgentHost(store, settings)
    _running.append(Runtime(settings=settings, store=store, host=host, agent=choose_agent(settings.agent)))
    return _running[-1]


def current() -> Runtime:
    """The running Lulu. Raises ``LuluError`` before ``start()`` and after ``stop()``."""
    if not _running:
        raise LuluError(
            "Lulu is not running here.", next_step="Start it with `make run` or `streamlit run lulu_app.py`."
        )
    return _running[-1]


def stop() -> None:
    """End every agent, commit what is queued, and let go of the file. Does nothing when nothing runs."""
    while _running:
        runtime = _running.pop()
        until = time.monotonic() + STOP_SECONDS
        runtime.host.stop()
        runtime.store.close(patience=until - time.monotonic())


@asynccontextmanager
async def serving(
    address: Callable[[], str], link: Callable[[str], str], stopping: Callable[[], None]
) -> AsyncIterator[None]:
    """Start before the first page is served, stop after the last: the app's lifespan.

    ``address`` says where this server is, or raises a ``LuluError``; ``link`` makes of it the link to open, printed
    before ``/healthz`` answers; ``stopping`` is called first at shutdown.
    Where Lulu cannot start, it says why on stderr and ends the process: there is nothing to serve.
    """
    try:
        root = address()
        settings = await asyncio.to_thread(load_settings)
        forget_environment()
        # In a thread: a large file takes a while to check, a locked one to open, and the server has to hear signals.
        await asyncio.to_thread(start, settings)
    except Exception as exc:
        if not isinstance(exc, LuluError):
            log.exception("Lulu cannot start")
        sys.stderr.write(f"Lulu cannot start. {_in_words(exc)}\n")
        sys.stderr.flush()
        # Not ``sys.exit``: the server would print the traceback of a failed lifespan over the message.
        os._exit(1)
    telling: asyncio.Task[None] | None = None
    try:
        async with sparing():
            if not await _tell(link, root):
                telling = asyncio.create_task(_tell_later(link, root))
            yield
    finally:
        if telling is not None:
            telling.cancel()
        stopping()
        await asyncio.to_thread(stop)


@asynccontextmanager
async def sparing() -> AsyncIterator[None]:
    """Within it, the garbage collector spares what stays."""
    task = asyncio.create_task(_spare_what_stays())
    try:
        yield
    finally:
        task.cancel()


async def _spare_what_stays() -> None:
    """Have the garbage collector look at what stays once a minute at most, otherwise at what came since its last look.

    It stops every thread meanwhile. On its own it looks through everything whenever there is a quarter more, beside
    twenty viewers every two seconds: 75 ms each time. Modules and open pages, most of it, stay much longer; without
    them it takes 5 to 15 ms, and the look of each minute 130 to 180 ms. (With Streamlit's ``runner.postScriptGC`` every
    run would end with such a look; it is off in ``.streamlit/config.toml``.)
    """
    gc.callbacks.append(_spare)
    try:
        gc.collect()
        looks, left = _looks(), 0
        while True:
            await asyncio.sleep(SPARE_EVERY)
            if _looks() > looks:
                left = 1 + SPARE_AGAIN
            # Where nothing came for long there is nothing to let go: an idle Lulu looks at nothing.
            if left > 0:
                gc.unfreeze()
                gc.collect()
                looks, left = _looks(), left - 1
    except Exception:
        # The task's top: pages are slower without it, and nothing else.
        log.exception("the garbage collector is left to itself")
    finally:
        gc.callbacks.remove(_spare)
        gc.unfreeze()


def _spare(phase: str, info: Mapping[str, int]) -> None:
    """Called by the garbage collector: what is left when it has looked at all that it does not spare is spared, too."""
    if phase == "stop" and info["generation"] == _OLDEST:
        gc.freeze()


def _looks() -> int:
    """How often the garbage collector has looked through all that it does not spare."""
    return int(gc.get_stats()[_OLDEST]["collections"])


async def _tell(link: Callable[[str], str], root: str) -> bool:
    """Print the link; whether there is one: its token has to be written down first."""
    try:
        line = f"Lulu is ready: {await asyncio.to_thread(link, root)}\n"
    except Exception as exc:
        # Whatever it is, those who are signed in are served, and it is tried again.
        sys.stderr.write(f"Lulu runs, but cannot make a link to sign in with yet. {_in_words(exc)}\n")
        sys.stderr.flush()
        return False
    sys.stdout.write(line)
    sys.stdout.flush()
    return True


def _in_words(exc: Exception) -> str:
    return str(exc) if isinstance(exc, LuluError) else f"{type(exc).__name__}: {exc}"


async def _tell_later(link: Callable[[str], str], root: str) -> None:
    """Whoever is signed in already sees on every page what is wrong; the link comes when the file can be written."""
    while not current().store.health.ok or not await _tell(link, root):
        await asyncio.sleep(LINK_RETRY_SECONDS)
