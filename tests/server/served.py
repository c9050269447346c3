"""uvicorn with the table of connections in a thread, in front of it an app that says hello."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from pathlib import Path

import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from lulu.access.guard import Guard
from lulu.server.connections.table import Connections, Limits
from lulu.server.setup import limit
from tests.doors import OpenDoor
from tests.support import eventually

#: What its owner may send in one message (bytes).
LARGE = 400_000


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says hello, or says back what it hears."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})
    else:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": str(len(message.get("bytes") or message.get("text") or ""))})


class Served:
    """A server in a thread, with the guard in front of that app."""

    def __init__(
        self, door: OpenDoor, *, files: int = 4_096, is_shut: bool = False, certificate: Path | None = None
    ) -> None:
        self.time = 0.0
        self.table = Connections(Limits.within(files), lambda address: is_shut, lambda: self.time)
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        config = uvicorn.Config(
            Guard(app, door),
            ws="websockets-sansio",
            ws_max_size=LARGE,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
            log_level="warning",
            access_log=False,
            ssl_certfile=certificate,
        )
        config.load()
        limit(config, self.table)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        eventually(lambda: self._server.started)
        # As in the app: few are taken at once, and many may wait for it.
        self._listener.listen(512)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve(sockets=[self._listener]))
        self._loop.close()

    def later(self, seconds: float) -> None:
        """Move the clock on by so many seconds, and close what is late by then."""
        self.time += seconds
        self._loop.call_soon_threadsafe(self.table.close_late)

    def open(self, said: bytes = b"") -> socket.socket:
        """A connection that says something."""
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        peer.sendall(said)
        return peer

    def ask(self, head: str, **headers: str) -> bytes:
        """One request, and all that comes back until the connection is closed."""
        sent = {"Host": f"127.0.0.1:{self.port}", "Connection": "close", **headers}
        lines = [head, *(f"{name.replace('_', '-')}: {value}" for name, value in sent.items())]
        with self.open("\r\n".join([*lines, "", ""]).encode()) as peer:
            return read_all(peer)

    def socket(self) -> ClientConnection:
        """A WebSocket of our page."""
        address = f"127.0.0.1:{self.port}"
        return connect(
            f"ws://{address}/bell", origin=Origin(f"http://{address}"), proxy=None, open_timeout=60, legacy=True
        )

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(60)


def read_all(peer: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := peer.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def greeted(peer: socket.socket) -> bytes:
    """What comes up to the end of the greeting."""
    answer = b""
    while not answer.endswith(b"hello"):
        part = peer.recv(65_536)
        assert part, answer
        answer += part
    return answer


def is_closed(peer: socket.socket) -> bool:
    peer.setblocking(False)
    try:
        return peer.recv(1_000) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
