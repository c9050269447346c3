"""A doorbell on a real server, and what a page does at it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from lulu.access.guard import Guard
from lulu.server.push.doorbell import Doorbell
from lulu.store.bus import Bus
from tests.doors import OpenDoor
from tests.support import eventually

#: How long anything may take here (seconds): other programs may share the machine.
PATIENCE = 60


class House:
    """A bus, its doorbell and a server in a thread."""

    def __init__(self, door: OpenDoor | None = None) -> None:
        self.bus = Bus()
        #: What was asked for, and what is answered.
        self.asked: list[tuple[str, str]] = []
        self.said: dict[str, object] | Exception = {"writing": None}
        self.doorbell = Doorbell(lambda: self.bus, words=self.words)
        app = Starlette(routes=[self.doorbell.route], middleware=[Middleware(Guard, door=door or OpenDoor())])
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)  # little room for a page that does not read
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="websockets-sansio")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)

    def words(self, kind: str, session_id: str) -> dict[str, object]:
        """What the session says."""
        self.asked.append((kind, session_id))
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    @contextlib.contextmanager
    def page(self, *topics: str) -> Iterator[ClientConnection]:
        """A page that listens to these topics."""
        here = f"127.0.0.1:{self.port}"
        with connect(
            f"ws://{here}/bell", additional_headers={"Origin": f"http://{here}"}, proxy=None, open_timeout=PATIENCE
        ) as page:
            if topics:
                listen(page, *topics)
            yield page

    def stop(self) -> bool:
        """Ask the server to end; whether it did."""
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        return not self.thread.is_alive()


@contextlib.contextmanager
def running(house: House) -> Iterator[House]:
    """Serve until the end of the block."""
    house.thread.start()
    try:
        eventually(lambda: house.server.started)
        yield house
    finally:
        house.stop()


def listen(page: ClientConnection, *topics: str) -> None:
    page.send(json.dumps({"listen": topics}))


def rings(page: ClientConnection) -> dict[str, int]:
    """What the next message says has rung."""
    numbers: dict[str, int] = json.loads(page.recv(timeout=PATIENCE))["ring"]
    return numbers


def close_code(page: ClientConnection) -> int:
    """Why the server closed the socket."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            page.recv(timeout=PATIENCE)
    assert page.close_code is not None
    return page.close_code
