"""How long a stopping server waits for its visitors. A closed laptop must not keep Lulu, and its agents, running."""

from __future__ import annotations

import logging
import signal

import uvicorn

_LOGGER = logging.getLogger(__name__)

#: Seconds for open connections to end; the time of the agents and the database comes after (``runtime.STOP_SECONDS``).
WAIT = 1


def limit_wait() -> bool:
    """Limit the wait of the server that runs this process; whether one was found.

    uvicorn closes every connection at SIGTERM, then waits without limit until all is sent. A viewer that sleeps with
    unread data never takes it. ``streamlit run`` has no option for the limit, so it is set on the server itself: the
    one that handles the signal.
    """
    server = this_server()
    if server is None:
        _LOGGER.warning("The server was not found: it will wait for its visitors when it stops")
        return False
    server.config.timeout_graceful_shutdown = WAIT
    return True


def this_server() -> uvicorn.Server | None:
    """The server that runs this process: the one that handles its signals."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(server, uvicorn.Server) else None
