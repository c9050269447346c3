"""Send small writes without delay: turn off Nagle's algorithm for the server's connections."""

from __future__ import annotations

import logging
import os
import socket

import psutil

_LOGGER = logging.getLogger(__name__)


def send_at_once() -> int:
    """Turn off Nagle's algorithm for all connections that will be accepted. Return the number of ports.

    asyncio does so only if a socket names its protocol (``_set_nodelay``), and ``streamlit run`` makes one that does
    not. With it, the second small write waits until the browser has confirmed the first, after 40 ms. A connection
    inherits the option from the socket that accepted it.
    """
    ports = 0
    try:
        found = [one.fd for one in psutil.Process().net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        for fd in found:
            # A copy: closing it leaves the server's own socket open.
            with socket.socket(fileno=os.dup(fd)) as listener:
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ports += 1
    except (psutil.Error, OSError) as exc:
        _LOGGER.warning("Pages will be slower: the server's socket cannot be told to send at once (%s)", exc)
    return ports
