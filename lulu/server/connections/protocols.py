"""uvicorn's protocols, extended with a table of connections (``table.py``).

uvicorn's own limits are not enough. ``limit_concurrency`` answers 503 to everyone, owners included. There is no time
limit for the head of a request, and one message size for all.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from typing import Any, cast

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CTRL_OPCODES, CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from lulu.access.security_headers import secured
from lulu.server.connections.table import HEAD_SECONDS, Connection, Connections

#: The most bytes of one message, except an owner's: a guest's page sends its state and clicks. Checked before a message
#: is put together.
SMALL_MESSAGE = 65_536
#: The most frames of one message, except an owner's. A browser sends a small message in one.
MOST_PARTS = 16
#: Bytes that are read per turn of the loop, except an owner's: 85 frames at most, or four milliseconds.
_PIECE = 512
#: Seconds between two checks whether the other side reads, and the number of failed checks that ends a socket.
_LOOK, _STUCK_LOOKS = 20.0, 3


class Http(H11Protocol):
    """One HTTP connection."""

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
        """Answer an unreadable request, with the headers of every other answer."""
        cycle: RequestResponseCycle | None = self.cycle
        # In the middle of an answer, this text would become a part of it.
        if cycle is None or not cycle.response_started or cycle.response_complete:
            head = [b"HTTP/1.1 400 Bad Request", b"content-type: text/plain; charset=utf-8", b"connection: close"]
            head += [b"%s: %s" % (name, value) for name, value in secured([])]
            head += [b"content-length: %d" % len(msg)]
            self.transport.write(b"\r\n".join([*head, b"", msg.encode()]))
        self.transport.close()

    def _should_upgrade(self) -> bool:
        """Whether the request becomes a WebSocket: only if the WebSocket protocol accepts it.

        That protocol would answer any other request itself, without the guard.
        """
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
    """One connection that has become a WebSocket.

    An owner's has no limits. All others: every frame is counted before it is handled, and input is read in small
    pieces, each in a turn of the loop of its own.
    """

    def __init__(self, connection: Connection, **given: Any) -> None:
        super().__init__(**given)
        self._connection = connection
        self.app = connection.around(self.app)
        self.conn.max_message_size = SMALL_MESSAGE
        self._take = self.conn.recv_frame
        # websockets only calls it, for each frame that it has read.
        self.conn.recv_frame = self._count  # type: ignore[method-assign]
        self._is_owner_s = False
        self._has_asked = False
        self._is_refused = False
        self._parts = 0
        self._unread = bytearray()
        self._is_turn_coming = False
        self._held = self._stuck = 0
        self._look_again: asyncio.TimerHandle | None = None
        connection.trust = self._trust

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._connection.lost()
        if self._look_again is not None:
            self._look_again.cancel()

    def data_received(self, data: bytes) -> None:
        if not self._has_asked or (self._is_owner_s and not self._unread):
            # The head comes first and whole: the HTTP protocol has read it.
            self._has_asked = True
            super().data_received(data)
        elif not self.handshake_complete:
            # Before the handshake is complete, a browser sends no data.
            self.transport.abort()
        else:
            self._unread += data
            self._read()

    async def receive(self) -> ASGIReceiveEvent:
        message = await super().receive()
        self._go_on()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        # After its last message, uvicorn continues to read, for the other side's last message.
        self._go_on()

    def _read(self) -> None:
        """Read a piece of the input, unless the app still has earlier messages."""
        self._is_turn_coming = False
        if self._unread and not self.read_paused and not self.transport.is_closing():
            piece = bytes(self._unread[:_PIECE])
            del self._unread[:_PIECE]
            super().data_received(piece)
            if self._is_refused:
                self.handle_parser_exception()
        self._go_on()

    def _go_on(self) -> None:
        """Pause reading, and read the rest of the input in later turns of the loop."""
        if not self._unread:
            return
        if self.transport.is_closing():
            self._unread.clear()
            return
        self.transport.pause_reading()
        if not self.read_paused and not self._is_turn_coming:
            self._is_turn_coming = True
            self.loop.call_soon(self._read)

    def _count(self, frame: Frame) -> None:
        """Handle a frame, or end the socket if it is over a limit."""
        if not self._is_owner_s:
            if frame.opcode not in CTRL_OPCODES:
                self._parts = self._parts + 1 if frame.opcode is Opcode.CONT else 1
            if self._parts > MOST_PARTS or not self._connection.may_say():
                self._is_refused = True
                self.conn.fail(CloseCode.POLICY_VIOLATION, "too much is said")
                return
        self._take(frame)

    def _look(self) -> None:
        """End a socket if the other side does not read. At most one message waits for it."""
        waits = not self._is_owner_s and (not self.writable.is_set() or self.transport.is_closing())
        held = self.transport.get_write_buffer_size() if waits else 0
        self._stuck = self._stuck + 1 if held and held >= self._held else 0
        self._held = held
        if self._stuck >= _STUCK_LOOKS:
            self.transport.abort()
        else:
            self._look_again = self.loop.call_later(_LOOK, self._look)

    def _trust(self) -> None:
        self._is_owner_s = True
        self.conn.max_message_size = self.config.ws_max_size


class Tls(asyncio.Protocol):
    """One HTTP connection over TLS. It is in the table from the start, before it is encrypted."""

    def __init__(self, table: Connections, context: ssl.SSLContext, **given: Any) -> None:
        self._table = table
        self._context = context
        self._given = given
        self._connection: Connection | None = None
        self._begin: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        # The next bytes are for TLS.
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
    """Keeps bytes from after the TLS handshake until the HTTP protocol can read them."""

    def __init__(self) -> None:
        self.said = b""
        self.is_over = False

    def data_received(self, data: bytes) -> None:
        self.said += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True


def opened(table: Connections, transport: asyncio.Transport) -> Connection:
    """Return the entry of a new connection in the table."""
    peer = get_remote_addr(transport)
    return table.open(peer[0] if peer else "", transport.abort)
