"""Configure the server that ``streamlit run`` starts: sending, stopping, logging, connections."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

import uvicorn

from lulu.server.connections.protocols import Http, Tls
from lulu.server.connections.table import Connections, Limits, raise_file_limit
from lulu.server.shutdown import limit_wait, this_server
from lulu.server.tcp_nodelay import send_at_once

log = logging.getLogger(__name__)

A = TypeVar("A")
S = TypeVar("S")

#: Seconds between two checks for connections over their time limit.
_LOOK = 0.5
#: The most connections accepted in one turn of the loop. Each takes a file before another can be closed for it.
_AT_ONCE = 16
#: The most connections that wait in the operating system.
_BACKLOG = 2_048
#: Loggers with messages that any client can cause at any rate.
LOUD = ("asyncio", "uvicorn", "websockets", "streamlit", "lulu.access", "lulu.server")


def served(
    is_shut_to: Callable[[str], bool], lifespan: Callable[[A], AbstractAsyncContextManager[S]]
) -> Callable[[A], AbstractAsyncContextManager[S]]:
    """Wrap the app's lifespan with this configuration. ``is_shut_to``: whether an address is only refused."""

    @asynccontextmanager
    async def begin(app: A) -> AsyncIterator[S]:
        send_at_once()
        limit_wait()
        quieten(*LOUD)
        files = raise_file_limit()
        connections = Connections(Limits.within(files), is_shut_to)
        server = this_server()
        if server is None:
            log.warning("The server was not found: what strangers may hold of it has no limit")
        else:
            limit(server.config, connections)
        tasks = [asyncio.create_task(_close_late(connections)), asyncio.create_task(_take_all(server))]
        try:
            async with lifespan(app) as state:
                yield state
        finally:
            for task in tasks:
                task.cancel()

    return begin


def limit(config: uvicorn.Config, connections: Connections) -> None:
    """Let a server that does not listen yet keep its connections in this table."""
    context, config.ssl = config.ssl, None
    protocol = functools.partial(Http, connections) if context is None else functools.partial(Tls, connections, context)
    # uvicorn only calls it.
    config.http_protocol_class = protocol  # type: ignore[assignment]
    config.backlog = _AT_ONCE


class Seldom(logging.Filter):
    """Passes one record of a kind per second, with the number of those left out."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._last: dict[tuple[str, object], float] = {}
        self._left_out: dict[tuple[str, object], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the record. Records with the same unformatted message and error are of one kind."""
        problem = record.exc_info[0] if record.exc_info else None
        kind = (str(record.msg).partition("\n")[0][:200], problem)
        now = self._now()
        if now - self._last.get(kind, -2.0) < 1.0:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return False
        if len(self._last) > 1_000:
            self._last, self._left_out = {}, {}
        self._last[kind] = now
        count = self._left_out.pop(kind, 0)
        if count:
            record.msg = f"{record.msg} (and {count} more like it)"
        return True


class SeldomLogger(logging.Logger):
    """A logger that passes one record of a kind per second."""

    def __init__(self, name: str, level: int = logging.NOTSET) -> None:
        super().__init__(name, level)
        self.addFilter(Seldom())


def quieten(*packages: str) -> None:
    """Limit the loggers of these packages to one record of a kind per second.

    Without a package, limit all loggers, also later ones.
    """
    if not packages:
        logging.setLoggerClass(SeldomLogger)
    for name in [*packages, *logging.root.manager.loggerDict]:
        if not packages or any(name == one or name.startswith(f"{one}.") for one in packages):
            logger = logging.getLogger(name)
            if not any(isinstance(one, Seldom) for one in logger.filters):
                logger.addFilter(Seldom())


async def _close_late(connections: Connections) -> None:
    while True:
        await asyncio.sleep(_LOOK)
        try:
            connections.close_late()
        except Exception:
            # The top of the task: the next check closes what this one did not.
            log.exception("connections that wait for too long could not be closed")


async def _take_all(server: uvicorn.Server | None) -> None:
    """Restore the operating system's queue of connections once the server listens."""
    try:
        while server is not None and not server.started:
            await asyncio.sleep(0.02)
        for listening in server.servers if server is not None else ():
            for one in listening.sockets:
                # A copy: closing it leaves the server's own socket open.
                with one.dup() as copy:
                    copy.listen(_BACKLOG)
    except Exception:
        log.exception("fewer connections than usual can wait for their turn")
