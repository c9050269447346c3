"""What the server writes leaves at once."""

from __future__ import annotations

import socket

from lulu.server import tcp_nodelay


def test_connections_do_not_wait_for_what_came_before_to_be_confirmed() -> None:
    # As ``streamlit run`` makes it: without a protocol, so that asyncio leaves its connections alone.
    with socket.socket(socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        before = _accepted(listener)

        assert tcp_nodelay.send_at_once() >= 1

        assert (before, _accepted(listener)) == (False, True)


def _accepted(listener: socket.socket) -> bool:
    """Whether a connection that is accepted now sends at once."""
    with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
        return bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
