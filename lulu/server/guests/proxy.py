"""Proxy guests' pages to their own process (``supervisor.py``), message by message.

Runs behind the guard, so every request is authenticated. When a credential ends, the guard closes the socket here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from contextlib import AsyncExitStack

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from lulu.access.guard import ACCESS_HEADER, PROOF_HEADER, ROLE_HEADER, admission_of
from lulu.model.actors import Role
from lulu.server import page_socket
from lulu.server.guests.supervisor import GuestProcess, NoGuestProcess, Running
from lulu.server.push import doorbell

log = logging.getLogger(__name__)

#: The sockets of a page: Streamlit's, and the doorbell.
SOCKETS = frozenset({page_socket.PATH, doorbell.PATH})
#: Headers that the other process receives. The cookie is not among them, because it is no longer needed.
_HANDED_ON = ("origin", "user-agent", "accept-language", ROLE_HEADER, ACCESS_HEADER)
#: Seconds for the process to accept a connection: fewer than Streamlit's client waits (15), so that a hang is noticed.
#: Its start may take longer, beside busy agents.
_PATIENCE, _START = 10.0, 60.0
#: Seconds between two pings, and for the answer to each.
_LISTEN = 20.0
#: The most bytes of one message to a browser. Streamlit's own limit (``server.maxMessageSize``) is lower.
_MOST = 100_000_000
#: WebSocket close codes: the server restarts; try again later (before a socket is accepted: HTTP 403).
_RESTART, _LATER = 1012, 1013
#: A valid name in ``Sec-WebSocket-Protocol``, which is a list with commas.
_PROTOCOL = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Close codes that mean "none", and are never sent.
_NOT_SAID = frozenset({1005, 1006, 1015})


class Relay:
    """ASGI middleware between the guard and the app."""

    def __init__(self, app: ASGIApp, guests: GuestProcess) -> None:
        self._app = app
        self._guests = guests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not _is_guest(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] in SOCKETS:
            await self._hand_on(scope, receive, send)
        else:
            if scope["path"] == "/":
                # The browser loads a second's worth of scripts before it opens the sockets.
                self._guests.prepare()
            await self._app(scope, receive, send)

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        async with AsyncExitStack() as stack:
            # Before its socket is accepted, a browser sends nothing but a disconnect.
            said = asyncio.ensure_future(receive())
            stack.callback(said.cancel)
            connecting = asyncio.ensure_future(self._connected(scope, stack))
            try:
                await asyncio.wait([said, connecting], return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not connecting.done():
                    connecting.cancel()
                    await asyncio.gather(connecting, return_exceptions=True)
            if connecting.cancelled():
                return
            connection = connecting.result()
            if connection is not None:
                # A socket that was cut off does not wait for a closing handshake between the two processes.
                stack.callback(connection.transport.abort)
            # A browser that has left meanwhile is no error.
            with contextlib.suppress(OSError):
                if connection is None:
                    await send({"type": "websocket.close", "code": _LATER})
                    return
                await send({"type": "websocket.accept", "subprotocol": connection.subprotocol})
                await _pump(connection, scope["path"], said, receive, send)

    async def _connected(self, scope: Scope, stack: AsyncExitStack) -> ClientConnection | None:
        """Return a connection to the guest process, open until ``stack`` closes, or ``None``."""
        running: Running | None = None
        if not all(_PROTOCOL.fullmatch(one) for one in _protocols(scope)):
            # No browser sends that, and the other process would report it as our fault.
            return None
        try:
            running = await stack.enter_async_context(self._guests.page())
            return await stack.enter_async_context(_connection(scope, running))
        except (NoGuestProcess, OSError, TimeoutError, WebSocketException) as exc:
            log.warning("a guest's page cannot be served now: %s", str(exc) or type(exc).__name__)
            if running is not None and not isinstance(exc, WebSocketException):
                self._guests.failed(running)
            return None


def _is_guest(scope: Scope) -> bool:
    admission = admission_of(Headers(scope=scope))
    return admission is not None and admission.role is Role.GUEST


def _protocols(scope: Scope) -> list[str]:
    wanted = Headers(scope=scope).get("sec-websocket-protocol", "")
    return [one.strip() for one in wanted.split(",")] if wanted else []


def _connection(scope: Scope, running: Running) -> connect:
    headers = Headers(scope=scope)
    return unix_connect(
        str(running.socket),
        f"ws://{headers['host']}{scope['path']}",
        subprotocols=[Subprotocol(one) for one in _protocols(scope)] or None,
        additional_headers=[(name, headers[name]) for name in _HANDED_ON if name in headers]
        + [(PROOF_HEADER, running.proof)],
        user_agent_header=None,
        compression=None,
        open_timeout=max(_PATIENCE, running.since + _START - time.monotonic()),
        close_timeout=1,
        # A hanging process is also noticed by pages that are already open.
        ping_interval=_LISTEN,
        ping_timeout=_LISTEN,
        max_size=_MOST,
    )


async def _pump(
    connection: ClientConnection, path: str, said: asyncio.Future[Message], receive: Receive, send: Send
) -> None:
    """Pass messages on until one side leaves. ``said``: the browser's first message."""
    from_browser = asyncio.ensure_future(_from_browser(connection, path, said, receive))
    tasks = [from_browser, asyncio.ensure_future(_to_browser(connection, send))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        code = from_browser.result() if from_browser.done() else _code_of(connection)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if code is not None:
        await send({"type": "websocket.close", "code": code})


async def _from_browser(
    connection: ClientConnection, path: str, said: asyncio.Future[Message], receive: Receive
) -> int | None:
    """Return the close code for the browser's socket, or ``None`` if the browser has left."""
    message = await said
    try:
        while message["type"] == "websocket.receive":
            if path == page_socket.PATH and (refusal := page_socket.refusal_of(message)) is not None:
                return refusal
            text = message.get("text")
            await connection.send(message["bytes"] if text is None else text)
            message = await receive()
    except ConnectionClosed:
        return _code_of(connection)
    return None


def _code_of(connection: ClientConnection) -> int:
    """Return the other side's close code."""
    code = connection.close_code
    return _RESTART if code is None or code in _NOT_SAID else code


async def _to_browser(connection: ClientConnection, send: Send) -> None:
    with contextlib.suppress(ConnectionClosed, OSError):
        async for said in connection:
            kind = "text" if isinstance(said, str) else "bytes"
            await send({"type": "websocket.send", kind: said})
