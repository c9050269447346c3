"""How long a stopping server waits for its visitors. A closed laptop must not keep Lulu, and its agents, running."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import uvicorn

_LOGGER = logging.getLogger(__name__)

A = TypeVar("A")
S = TypeVar("S")

#: Seconds for open connections to end; the time of the agents and the database comes after (``runtime.STOP_SECONDS``).
WAIT = 1


def limited(lifespan: Callable[[A], AbstractAsyncContextManager[S]]) -> Callable[[A], AbstractAsyncContextManager[S]]:
    """The app's lifespan, in a server whose wait is limited."""

    def begin(app: A) -> AbstractAsyncContextManager[S]:
        limit_wait()
        return lifespan(app)

    return begin


def limit_wait() -> bool:
    """Limit the wait of the server that runs this process; whether one was found.

    uvicorn closes every connection at SIGTERM, then waits without limit until all is sent. A viewer that sleeps with
    unread data never takes it. ``streamlit run`` has no option for the limit, so it is set on the server itself: the
    one that handles the signal.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if not isinstance(server, uvicorn.Server):
        _LOGGER.warning("The server was not found: it will wait for its visitors when it stops")
        return False
    server.config.timeout_graceful_shutdown = WAIT
    return True
