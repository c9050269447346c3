"""The composition root: settings, store and host, built once a process.

Pages reach them through ``current()``.
"""

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
    """The parts of one running Lulu."""

    settings: Settings
    store: Store
    host: AgentHost
    #: The agent that new sessions get.
    agent: AgentSetup


_running: list[Runtime] = []

#: Seconds for the end of the agents and of the database together. With the wait for open pages before it and Python's
#: own end after it, Lulu ends within 10 s.
STOP_SECONDS = 7.5
#: Seconds between two full garbage collections, and how many more of them follow the last one that was needed.
#: Streamlit keeps a closed page for two minutes.
SPARE_EVERY, SPARE_AGAIN = 60.0, 3
#: The number of the collector's oldest generation.
_OLDEST = 2
#: Seconds between two attempts to make the link to sign in with.
LINK_RETRY_SECONDS = 1.0


def start(settings: Settings) -> Runtime:
    """Open the store, recover from a crash and start the host. Raises ``LuluError`` if that fails."""
    if _running:
        raise LuluError("Lulu is already running in this process.")
    make_private(settings.data_dir)
    store = Store.open(settings.database_path)
    try:
        host = AgentHost(store, settings)
        runtime = Runtime(settings=settings, store=store, host=host, agent=choose_agent(settings.agent))
        host.start()
    except BaseException:
        # Otherwise the lock stays, and no process can open the file again.
        store.close()
        raise
    _running.append(runtime)
    return runtime


def look_on(settings: Settings, database: Path, bus: Bus) -> Runtime:
    """Return a read-only runtime beside another process's Lulu. Nothing is started or written.

    ``bus`` has the topic versions of that other process.
    """
    store = Store.beside(database, bus)
    host = AgentHost(store, settings)
    _running.append(Runtime(settings=settings, store=store, host=host, agent=choose_agent(settings.agent)))
    return _running[-1]


def current() -> Runtime:
    """Return the running Lulu. Raises ``LuluError`` before ``start()`` and after ``stop()``."""
    if not _running:
        raise LuluError(
            "Lulu is not running here.", next_step="Start it with `make run` or `streamlit run lulu_app.py`."
        )
    return _running[-1]


def stop() -> None:
    """End every agent, commit the queued writes and close the file. Without a running Lulu, do nothing."""
    while _running:
        runtime = _running.pop()
        until = time.monotonic() + STOP_SECONDS
        runtime.host.stop()
        runtime.store.close(patience=until - time.monotonic())


@asynccontextmanager
async def serving(
    address: Callable[[], str], link: Callable[[str], str], stopping: Callable[[], None]
) -> AsyncIterator[None]:
    """Start Lulu before the first page is served and stop it after the last: the app's lifespan.

    ``address`` returns this server's address or raises ``LuluError``. ``link`` makes the sign-in link of it. The link
    is printed before ``/healthz`` answers. ``stopping`` is called first at shutdown. If Lulu cannot start, the reason
    goes to stderr and the process ends with code 1.
    """
    try:
        root = address()
        settings = await asyncio.to_thread(load_settings)
        forget_environment()
        # In a thread: a large file takes long to check, a locked one to open, and the server has to handle signals.
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
    """Limit full garbage collections while the context is open."""
    task = asyncio.create_task(_spare_what_stays())
    try:
        yield
    finally:
        task.cancel()


async def _spare_what_stays() -> None:
    """Run a full collection at most once a minute. In between, collect only newer objects.

    A collection stops every thread. By default Python runs a full one whenever a quarter more objects exist. Beside
    twenty viewers that was 75 ms every two seconds. Most objects are modules and open pages, and live long. Frozen,
    they cost nothing: a collection takes 5 to 15 ms, the full one 130 to 180 ms (``docs/performance.md``). Streamlit's
    ``runner.postScriptGC`` would collect after every run; ``.streamlit/config.toml`` switches it off.
    """
    gc.callbacks.append(_spare)
    try:
        gc.collect()
        looks, left = _looks(), 0
        while True:
            await asyncio.sleep(SPARE_EVERY)
            if _looks() > looks:
                left = 1 + SPARE_AGAIN
            # An idle Lulu has no garbage, so it runs no collection.
            if left > 0:
                gc.unfreeze()
                gc.collect()
                looks, left = _looks(), left - 1
    except Exception:
        # The top of the task. Without it pages are slower, but they work.
        log.exception("the garbage collector is left to itself")
    finally:
        gc.callbacks.remove(_spare)
        gc.unfreeze()


def _spare(phase: str, info: Mapping[str, int]) -> None:
    """Freeze the surviving objects after each full collection (a callback of ``gc``)."""
    if phase == "stop" and info["generation"] == _OLDEST:
        gc.freeze()


def _looks() -> int:
    """Return the number of full collections so far."""
    return int(gc.get_stats()[_OLDEST]["collections"])


async def _tell(link: Callable[[str], str], root: str) -> bool:
    """Print the sign-in link. Return whether that worked: its token has to be committed first."""
    try:
        line = f"Lulu is ready: {await asyncio.to_thread(link, root)}\n"
    except Exception as exc:
        # After any error, signed-in browsers are served, and the link is tried again.
        sys.stderr.write(f"Lulu runs, but cannot make a link to sign in with yet. {_in_words(exc)}\n")
        sys.stderr.flush()
        return False
    sys.stdout.write(line)
    sys.stdout.flush()
    return True


def _in_words(exc: Exception) -> str:
    return str(exc) if isinstance(exc, LuluError) else f"{type(exc).__name__}: {exc}"


async def _tell_later(link: Callable[[str], str], root: str) -> None:
    """Print the link as soon as the database can be written. Pages show what is wrong until then."""
    while not current().store.health.ok or not await _tell(link, root):
        await asyncio.sleep(LINK_RETRY_SECONDS)
