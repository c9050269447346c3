"""uvicorn's protocols, with a table of connections (``connections.py``) beside them.

uvicorn has a limit of its own (``limit_concurrency``), which answers everybody with 503, owners too, and no time limit
for the head of a request; its limit for messages is one for all.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.server import ServerProtocol

from lulu.access.headers import secured
from lulu.web.connections import HEAD_SECONDS, Connection, Connections

#: Bytes of one message of anybody but an owner: a guest's page says what it shows and what was clicked. It is looked
#: at before a message is put together.
SMALL_MESSAGE = 65_536
#: Bytes that are read of anybody but an owner before it is asked whether to go on.
_PIECE = 4_096
#: Pings and pongs of anybody but an owner: so many, and one more each second. No browser sends pings.
_MOST_PINGS = 100


class Http(H11Protocol):
    """One connection that speaks HTTP."""

    def __init__(self, table: Connections, connection: Connection | None = None, **given: Any) -> None:
        super().__init__(**given)
        self._table = table
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        super().connection_made(transport)
        if self._connection is None:
            self._connection = opened(self._table, transport)
        self._connection.move(transport.abort)
        self.app = self._connection.around(self.app)
        # uvicorn only calls it.
        self.ws_protocol_class = functools.partial(WebSocket, self._connection)  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._connection is not None:
            self._connection.lost()

    def send_400_response(self, msg: str) -> None:
        """What nobody understands gets the headers of every other answer."""
        cycle: RequestResponseCycle | None = self.cycle
        # In the middle of an answer it would be a part of that.
        if cycle is None or not cycle.response_started or cycle.response_complete:
            head = [b"HTTP/1.1 400 Bad Request", b"content-type: text/plain; charset=utf-8", b"connection: close"]
            head += [b"%s: %s" % (name, value) for name, value in secured([])]
            head += [b"content-length: %d" % len(msg)]
            self.transport.write(b"\r\n".join([*head, b"", msg.encode()]))
        self.transport.close()

    def _should_upgrade(self) -> bool:
        """Whether the request becomes a WebSocket: only one that the other protocol takes for one, too. It would answer
        anything else itself, and the guard would never see it."""
        if self._get_upgrade() != b"websocket":
            return False
        target = self.scope["raw_path"] + (b"?" + self.scope["query_string"] if self.scope["query_string"] else b"")
        lines = [b"%s %s HTTP/%s" % (self.scope["method"].encode(), target, self.scope["http_version"].encode())]
        lines += [b"%s: %s" % header for header in self.headers]
        other = ServerProtocol(extensions=[ServerPerMessageDeflateFactory()])
        other.receive_data(b"\r\n".join([*lines, b"", b""]))
        requests = other.events_received()
        return bool(requests) and isinstance(requests[0], Request) and other.accept(requests[0]).status_code == 101


class WebSocket(WebSocketsSansIOProtocol):
    """One connection that has become a WebSocket."""

    def __init__(self, connection: Connection, **given: Any) -> None:
        super().__init__(**given)
        self._connection = connection
        self.app = connection.around(self.app)
        self.conn.max_message_size = SMALL_MESSAGE
        self._is_owner_s = False
        self._pings = 0
        self._begin = self.loop.time()
        connection.trust = self._trust

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._connection.lost()

    def data_received(self, data: bytes) -> None:
        if self._is_owner_s:
            super().data_received(data)
            return
        # A quarter of a megabyte may be forty thousand pings: seconds in which nobody else is served.
        for start in range(0, len(data), _PIECE):
            if not self.transport.is_closing():
                super().data_received(data[start : start + _PIECE])

    def handle_ping(self) -> None:
        if self._may_ping():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._may_ping():
            super().handle_pong(event)

    def _may_ping(self) -> bool:
        self._pings += 1
        if self._is_owner_s or self._pings <= _MOST_PINGS + self.loop.time() - self._begin:
            return True
        self.transport.abort()
        return False

    def _trust(self) -> None:
        self._is_owner_s = True
        self.conn.max_message_size = self.config.ws_max_size


class Tls(asyncio.Protocol):
    """One connection that speaks HTTP behind TLS. It counts from its first moment on, not only once it is encrypted."""

    def __init__(self, table: Connections, context: ssl.SSLContext, **given: Any) -> None:
        self._table = table
        self._context = context
        self._given = given
        self._connection: Connection | None = None
        self._begin: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        # What comes now is for TLS.
        transport.pause_reading()
        self._connection = opened(self._table, transport)
        self._begin = asyncio.get_running_loop().create_task(self._encrypt(transport, self._connection))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connection.lost()

    async def _encrypt(self, transport: asyncio.Transport, connection: Connection) -> None:
        early = _Early()
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                transport, early, self._context, server_side=True, ssl_handshake_timeout=HEAD_SECONDS
            )
        except (OSError, ssl.SSLError):
            encrypted = None
        except Exception:
            logging.getLogger(__name__).exception("a connection could not be encrypted")
            encrypted = None
        if encrypted is None or early.is_over or transport.is_closing():
            connection.end()
            return
        http = Http(self._table, connection, **self._given)
        encrypted.set_protocol(http)
        http.connection_made(encrypted)
        if early.said:
            http.data_received(early.said)


class _Early(asyncio.Protocol):
    """Keeps the bytes that arrive after the TLS handshake, until the HTTP protocol is there to read them."""

    def __init__(self) -> None:
        self.said = b""
        self.is_over = False

    def data_received(self, data: bytes) -> None:
        self.said += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True


def opened(table: Connections, transport: asyncio.Transport) -> Connection:
    """A connection that was just made, in the table."""
    peer = get_remote_addr(transport)
    return table.open(peer[0] if peer else "", transport.abort)
