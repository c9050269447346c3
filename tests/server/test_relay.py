"""The relay: what a guest's sockets say and hear, and what goes with them to the process behind it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.typing import Subprotocol

from lulu.access import guard
from lulu.access.addresses import parse_origin
from lulu.access.guard import Admission
from lulu.model.actors import Role
from lulu.server.guests import proxy
from lulu.server.guests.proxy import SOCKETS, Relay
from lulu.server.guests.supervisor import NoGuestProcess

HOST = "127.0.0.1:8501"
STREAM, BELL = "/_stcore/stream", "/bell"
GUEST = Admission(role=Role.GUEST, access_ids=(7, 9))
SAYS_ITSELF = [
    (b"host", HOST.encode()),
    (b"origin", f"http://{HOST}".encode()),
    (b"cookie", b"lulu_guest=a-token"),
    (b"authorization", b"Bearer a-token"),
    (b"user-agent", b"Browser \xe9"),
    (b"x-lulu-role", b"owner"),
    (b"x-forwarded-for", b"10.0.0.1"),
    (b"sec-websocket-protocol", b"streamlit, x, an-old-session"),
]


def asked(path: str, admission: Admission = GUEST, *, kind: str = "websocket") -> Scope:
    """A request as the guard hands it on."""
    authority = parse_origin(f"http://{HOST}")
    assert authority is not None
    scope = {"type": kind, "path": path, "headers": SAYS_ITSELF, "scheme": "ws", "query_string": b"", "method": "GET"}
    return guard.admitted(scope, admission, authority)


class Browser:
    """The ASGI server's side of one socket."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[Message] = asyncio.Queue()
        self.hears: asyncio.Queue[Message] = asyncio.Queue()
        self.says.put_nowait({"type": "websocket.connect"})

    def say(self, **what: Any) -> None:
        """One message."""
        self.says.put_nowait({"type": "websocket.receive", **what})

    def leave(self) -> None:
        """Close the socket."""
        self.says.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def heard(self) -> Message:
        """The next message."""
        async with asyncio.timeout(60):
            return await self.hears.get()


class Guests:
    """In the place of ``GuestProcess``: whoever listens at ``path``."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.since = time.monotonic()
        self.prepared = 0
        self.open = 0
        self.given_up = 0

    def prepare(self) -> None:
        """Somebody is about to come."""
        self.prepared += 1

    def failed(self, running: object) -> None:
        """It does not answer."""
        self.given_up += 1

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Any]:
        """Around a page."""
        if self.path is None:
            raise NoGuestProcess
        self.open += 1
        try:
            yield SimpleNamespace(socket=self.path, proof="its own proof", since=self.since)
        finally:
            self.open -= 1


class App:
    """What stands behind the relay here."""

    def __init__(self) -> None:
        self.served: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.served.append(scope.get("path", scope["type"]))


Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def relayed(folder: Path, behind: Handler, path: str = STREAM) -> AsyncIterator[tuple[Browser, Guests]]:
    """A guest's socket that is open, and at its other end ``behind``."""
    place, browser, app = folder / "pages", Browser(), App()
    guests = Guests(place)
    async with unix_serve(behind, str(place), subprotocols=[Subprotocol("streamlit")], max_size=None, compression=None):
        serving = asyncio.ensure_future(Relay(app, guests)(asked(path), browser.says.get, browser.hears.put))  # type: ignore[arg-type]
        try:
            yield browser, guests
        finally:
            browser.leave()
            async with asyncio.timeout(60):
                await serving
            assert app.served == []
            assert guests.open == 0


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


def run_asked_with(words: str) -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = words
    return message.SerializeToString()


#: What browsers say on each socket.
SAID: dict[str, list[dict[str, object]]] = {
    STREAM: [{"bytes": run_asked_with("x"), "text": None}, {"bytes": run_asked_with("y" * 5_000_000)}],
    BELL: [{"bytes": b"", "text": None}, {"bytes": bytes(range(256)) * 20_000}, {"text": "words \U0001f9ad"}],
}


@pytest.mark.parametrize("path", sorted(SOCKETS))
def test_what_is_said_comes_back_as_it_was(tmp_path: Path, path: str) -> None:
    async def scenario() -> list[Message]:
        async with relayed(tmp_path, echo, path) as (browser, _):
            accepted = await browser.heard()
            for one in SAID[path]:
                browser.say(**one)
            return [accepted, *[await browser.heard() for _ in SAID[path]]]

    accepted, *heard = asyncio.run(scenario())

    assert accepted == {"type": "websocket.accept", "subprotocol": "streamlit"}
    wanted = [{name: what for name, what in one.items() if what is not None} for one in SAID[path]]
    assert heard == [{"type": "websocket.send", **one} for one in wanted]


@pytest.mark.parametrize(
    ("odd", "code"), [({"bytes": b""}, 1008), ({"bytes": b"\xff\xff"}, 1007), ({"text": "words"}, 1003)], ids=str
)
def test_what_no_page_sends_does_not_reach_the_process(tmp_path: Path, odd: dict[str, object], code: int) -> None:
    async def scenario() -> tuple[list[str | bytes], Message]:
        reached: list[str | bytes] = []

        async def note(socket: ServerConnection) -> None:
            async for message in socket:
                reached.append(message)

        async with relayed(tmp_path, note) as (browser, _):
            await browser.heard()
            browser.say(**odd)
            return reached, await browser.heard()

    reached, heard = asyncio.run(scenario())

    assert reached == []
    assert heard == {"type": "websocket.close", "code": code}


def test_only_the_guard_s_word_and_what_a_page_needs_goes_along(tmp_path: Path) -> None:
    found: list[tuple[str, str]] = []

    async def note(socket: ServerConnection) -> None:
        assert socket.request is not None
        found.extend((name.lower(), value) for name, value in socket.request.headers.raw_items())
        await socket.send("noted")

    async def scenario() -> None:
        async with relayed(tmp_path, note) as (browser, _):
            await browser.heard()
            await browser.heard()

    asyncio.run(scenario())
    told = dict(found)

    assert len(told) == len(found)
    ours = {name: value for name, value in told.items() if name.startswith("x-lulu-")}
    assert ours == {"x-lulu-role": "guest", "x-lulu-access": "7,9", "x-lulu-proof": "its own proof"}
    assert (told["host"], told["origin"]) == (HOST, f"http://{HOST}")
    assert told["sec-websocket-protocol"] == "streamlit, x, an-old-session"
    assert "a-token" not in str(found)
    handshake = {"connection", "upgrade", "sec-websocket-key", "sec-websocket-version"}
    assert set(told) == handshake | set(ours) | {"host", "origin", "user-agent", "sec-websocket-protocol"}


@pytest.mark.parametrize("code", [1000, 1008, 1011])
def test_when_the_process_closes_it_the_browser_is_told(tmp_path: Path, code: int) -> None:
    async def close(socket: ServerConnection) -> None:
        await socket.close(code)

    async def scenario() -> Message:
        async with relayed(tmp_path, close) as (browser, _):
            await browser.heard()
            return await browser.heard()

    assert asyncio.run(scenario()) == {"type": "websocket.close", "code": code}


def test_when_the_process_dies_the_browser_is_told_to_come_again(tmp_path: Path) -> None:
    async def die(socket: ServerConnection) -> None:
        socket.transport.abort()

    async def scenario() -> Message:
        async with relayed(tmp_path, die) as (browser, _):
            await browser.heard()
            return await browser.heard()

    assert asyncio.run(scenario()) == {"type": "websocket.close", "code": 1012}


def test_when_the_browser_leaves_the_process_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        left = asyncio.Event()

        async def listen(socket: ServerConnection) -> None:
            await socket.wait_closed()
            left.set()

        async with relayed(tmp_path, listen) as (browser, guests):
            await browser.heard()
            assert guests.open == 1
            browser.leave()
            async with asyncio.timeout(60):
                await left.wait()

    asyncio.run(scenario())


def test_who_is_cut_off_by_the_guard_leaves_the_process_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        left = asyncio.Event()

        async def listen(socket: ServerConnection) -> None:
            await socket.wait_closed()
            left.set()

        browser, guests = Browser(), Guests(tmp_path / "pages")
        async with unix_serve(listen, str(tmp_path / "pages"), subprotocols=[Subprotocol("streamlit")]):
            handed_on = Relay(App(), guests)  # type: ignore[arg-type]
            serving = asyncio.ensure_future(handed_on(asked(STREAM), browser.says.get, browser.hears.put))
            await browser.heard()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            async with asyncio.timeout(60):
                await left.wait()
        assert guests.open == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("is_there", [True, False])
def test_where_no_process_is_the_browser_is_told_to_come_later(tmp_path: Path, is_there: bool) -> None:
    async def scenario() -> Message:
        browser = Browser()
        guests = Guests(tmp_path / "nobody listens here" if is_there else None)
        await Relay(App(), guests)(asked(STREAM), browser.says.get, browser.hears.put)  # type: ignore[arg-type]
        assert guests.given_up == (1 if is_there else 0)
        return await browser.heard()

    assert asyncio.run(scenario()) == {"type": "websocket.close", "code": 1013}


@pytest.mark.parametrize("patience", ["_PATIENCE", "_START"])
def test_a_process_that_takes_no_connection_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: str
) -> None:
    monkeypatch.setattr(proxy, "_PATIENCE", 0.01)
    monkeypatch.setattr(proxy, patience, 0.02)

    async def scenario() -> Message:
        browser, guests = Browser(), Guests(tmp_path / "pages")
        guests.since -= proxy._START if patience == "_PATIENCE" else 0
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "pages"))
            listener.listen()
            await Relay(App(), guests)(asked(STREAM), browser.says.get, browser.hears.put)  # type: ignore[arg-type]
        assert (guests.given_up, guests.open) == (1, 0)
        return await browser.heard()

    assert asyncio.run(scenario()) == {"type": "websocket.close", "code": 1013}


def test_a_process_that_falls_silent_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "_LISTEN", 0.05)

    async def scenario() -> Message:
        told = asyncio.Event()

        async def answer_no_ping(connection: ServerConnection) -> None:
            connection.transport.pause_reading()
            await told.wait()
            connection.transport.abort()

        async with relayed(tmp_path, answer_no_ping) as (browser, _):
            await browser.heard()
            heard = await browser.heard()
            told.set()
            return heard

    assert asyncio.run(scenario())["type"] == "websocket.close"


@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_browser_that_leaves_before_it_is_let_in_is_no_fault(tmp_path: Path, is_accepted: bool) -> None:
    async def scenario() -> None:
        browser, guests, let_in = Browser(), Guests(tmp_path / "pages"), asyncio.Event()

        async def send(message: Message) -> None:
            let_in.set()
            raise OSError("the client has gone")

        with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as stack:
            listener.bind(str(tmp_path / "pages"))
            listener.listen()
            async with contextlib.AsyncExitStack() as stack_of_servers:
                if is_accepted:
                    (tmp_path / "pages").unlink()
                    await stack_of_servers.enter_async_context(
                        unix_serve(echo, str(tmp_path / "pages"), subprotocols=[Subprotocol("streamlit")])
                    )
                serving = asyncio.ensure_future(
                    Relay(App(), guests)(asked(STREAM), browser.says.get, send)  # type: ignore[arg-type]
                )
                stack.callback(serving.cancel)
                if is_accepted:
                    await let_in.wait()
                else:
                    browser.leave()
                async with asyncio.timeout(60):
                    await serving
        assert let_in.is_set() is is_accepted
        assert (guests.given_up, guests.open) == (0, 0)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("scope", "prepared"),
    [
        ({"type": "lifespan"}, 0),
        *((asked(path, Admission(role=role, access_ids=(1,)), kind=kind), 0) for path, role, kind in [
            (STREAM, Role.OWNER, "websocket"),
            (BELL, Role.OWNER, "websocket"),
            ("/", Role.OWNER, "http"),
            ("/healthz", Role.NOBODY, "http"),
            ("/static/a.js", Role.GUEST, "http"),
        ]),
        (asked("/", kind="http"), 1),
        # Nobody who says so himself is a guest, or an owner.
        ({"type": "websocket", "path": STREAM, "headers": SAYS_ITSELF}, 0),
    ],
    ids=["life span", "socket", "bell", "home", "health", "file", "another browser", "says so itself"],
)  # fmt: skip
def test_the_rest_is_served_here(scope: Scope, prepared: int) -> None:
    app, guests = App(), Guests(None)

    async def scenario() -> None:
        await Relay(app, guests)(scope, asyncio.Queue[Message]().get, asyncio.Queue[Message]().put)  # type: ignore[arg-type]

    asyncio.run(scenario())

    assert app.served == [scope.get("path", scope["type"])]
    assert guests.prepared == prepared
