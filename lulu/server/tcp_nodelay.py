"""How soon what is written leaves this computer: at once, and not when the browser has confirmed what came before."""

from __future__ import annotations

import logging
import os
import socket

import psutil

_LOGGER = logging.getLogger(__name__)


def send_at_once() -> int:
    """Turn Nagle's algorithm off for all connections that this process will accept; at how many ports.

    asyncio does so only where a socket names its protocol (``_set_nodelay``), and the one that ``streamlit run`` makes
    does not. Then the second small write of an answer or a message waits until the browser has confirmed the first,
    which it delays by 40 ms. A connection inherits the option from the socket that it was accepted at.
    """
    ports = 0
    try:
        found = [one.fd for one in psutil.Process().net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        for fd in found:
            # A copy: to close it leaves the server's own open.
            with socket.socket(fileno=os.dup(fd)) as listener:
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ports += 1
    except (psutil.Error, OSError) as exc:
        _LOGGER.warning("Pages will be slower: the server's socket cannot be told to send at once (%s)", exc)
    return ports
