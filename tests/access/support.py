"""A guarded application with one route of each kind, and browsers that ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from lulu.access.guard import CONNECTION, ROLE_HEADER, Connection, Guard
from tests.doors import OpenDoor

PORT = 8501
OWN = f"127.0.0.1:{PORT}"


async def _echo(request: Request) -> Response:
    ours = [f"{name}={value}" for name, value in request.headers.items() if name.startswith("x-lulu")]
    return PlainTextResponse("\n".join(ours), headers={"Access-Control-Allow-Origin": "*", "X-Frame-Options": "ALLOW"})


async def _break(_: Request) -> Response:
    raise ValueError("a secret of the inside")


async def _break_late(_: Request) -> Response:
    async def parts() -> Any:
        yield b"begun"
        raise ValueError("too late")

    return StreamingResponse(parts())


async def _own_referrer(_: Request) -> Response:
    return PlainTextResponse("", headers={"Referrer-Policy": "same-origin"})


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.headers.get(ROLE_HEADER, ""))
    await websocket.close()


async def _broken_socket(websocket: WebSocket) -> None:
    if "accepted" in str(websocket.url):
        await websocket.accept()
    raise ValueError("a secret of the inside")


def guarded(door: OpenDoor | None = None) -> Starlette:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(
        routes=[
            Route("/echo", _echo, methods=methods),
            Route("/", _echo),
            Route("/break", _break),
            Route("/break-late", _break_late),
            Route("/referrer", _own_referrer),
            WebSocketRoute("/socket", _socket),
            WebSocketRoute("/broken/{when}", _broken_socket),
        ],
        middleware=[Middleware(Guard, door=door or OpenDoor())],
    )


class Client(TestClient):
    """A browser on this machine, unless told otherwise."""

    def __init__(
        self,
        *,
        host: str = OWN,
        peer: str = "127.0.0.1",
        door: OpenDoor | None = None,
        connection: Connection | None = None,
    ) -> None:
        app = guarded(door)

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, CONNECTION: connection}, receive, send)

        super().__init__(served, base_url=f"http://{OWN}", client=(peer, 50_000), raise_server_exceptions=False)
        self.headers["Host"] = host


def status_of_socket(client: TestClient, sent: Mapping[str, str], path: str = "/socket") -> int:
    try:
        with client.websocket_connect(f"ws://{OWN}{path}", headers=dict(sent)) as websocket:
            websocket.receive_text()
            return 101
    except WebSocketDenialResponse as denial:
        return denial.status_code


# --- The bare protocol -------------------------------------------------------------------------------------------


def scope_of(kind: str, sent: list[tuple[bytes, bytes]], **more: Any) -> Scope:
    return {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "method": "GET",
        "path": "/echo",
        "raw_path": b"/echo",
        "query_string": b"",
        "headers": sent,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", PORT),
        **more,
    }


def ask(sent: list[tuple[bytes, bytes]], **more: Any) -> tuple[int, list[Message]]:
    messages = _run(scope_of("http", sent, **more))
    return messages[0]["status"], messages


def ask_socket(sent: list[tuple[bytes, bytes]], **more: Any) -> list[Message]:
    return _run(scope_of("websocket", sent, **{"extensions": {"websocket.http.response": {}}, **more}))


def _run(scope: Scope) -> list[Message]:
    """Drive the guard as a server would."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b""})

    asyncio.run(Guard(application, OpenDoor())(scope, receive, send))
    return messages
