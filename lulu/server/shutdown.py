"""Limit how long a stopping server waits for open connections, such as those of a closed laptop."""

from __future__ import annotations

import logging
import signal

import uvicorn

_LOGGER = logging.getLogger(__name__)

#: Seconds for open connections to end. The time for agents and the database comes after (``runtime.STOP_SECONDS``).
WAIT = 1


def limit_wait() -> bool:
    """Limit the wait of the server that runs this process. Return whether there is one.

    At SIGTERM, uvicorn closes every connection, then waits without limit until all is sent. A sleeping viewer with
    unread data never reads it. ``streamlit run`` has no option for the limit, so it is set on the server itself.
    """
    server = this_server()
    if server is None:
        _LOGGER.warning("The server was not found: it will wait for its visitors when it stops")
        return False
    server.config.timeout_graceful_shutdown = WAIT
    return True


def this_server() -> uvicorn.Server | None:
    """Return the server that runs this process, found by its signal handler, or ``None``."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(server, uvicorn.Server) else None
