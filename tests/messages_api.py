"""A scripted Anthropic Messages API on loopback: the real Claude Code runs whole turns against it, without a key.

with MessagesApi() as api:
    …start Claude Code with api.environment; prompts like "SCN:bash please" pick a scenario…
    assert api.requests[0].body["stream"]
"""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.scenarios import Block, Reply, error_type, reply_to

_USAGE = {
    "input_tokens": 1000,
    "output_tokens": 50,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def session_id(self) -> str:
        """The session that asks."""
        return self.headers.get("x-claude-code-session-id", "")


class MessagesApi:
    """The API, from ``with`` on, at a free port."""

    def __init__(self) -> None:
        #: Every request so far.
        self.requests: list[Request] = []
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="messages-api")
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self.closing = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """For ``ANTHROPIC_BASE_URL``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What Claude Code needs to use this API and no other address. HOME and the like are the test's."""
        return {
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": "dummy",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }

    def reply(self, request: Request) -> Reply:
        """Keeps the request and says what to answer."""

        def count(name: str) -> int:
            self._counts[request.session_id, name] += 1
            return self._counts[request.session_id, name]

        with self._lock:
            self.requests.append(request)
            return reply_to(request.body, count)


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, api: MessagesApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api
        self._connections: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends what is still connected, so that its threads end."""
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it went by itself


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: pytest's output is for failures."""

    def do_HEAD(self) -> None:
        self._keep({})
        self._send_json(200, {})

    def do_GET(self) -> None:
        self._keep({})
        self._send_error(404, "There is no such path.")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        body: dict[str, Any] = json.loads(raw or b"{}")
        path = self.path.partition("?")[0]
        try:
            if path.endswith("/count_tokens"):
                self._keep(body)
                self._send_json(200, {"input_tokens": max(1, len(raw) // 4)})
            elif path.endswith("/v1/messages"):
                self._answer(body)
            else:
                self._keep(body)
                self._send_error(404, "There is no such path.")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _keep(self, body: dict[str, Any]) -> Reply:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method=self.command, path=self.path, headers=headers, body=body)
        return self.server.api.reply(request)

    def _answer(self, body: dict[str, Any]) -> None:
        reply = self._keep(body)
        if reply.hangs:
            self.server.api.closing.wait()
            self.close_connection = True
        elif reply.status != 200:
            self._send_error(reply.status, f"The scripted error {reply.status}.", reply.headers)
        elif body.get("stream"):
            self._stream(body, reply)
        elif reply.cut_after is not None:
            # Claude Code asks again without a stream when the stream was cut.
            self._break_connection()
        else:
            message = _message(body, reply)
            self._send_json(200, {**message, "content": reply.blocks, "stop_reason": _stop_reason(reply)})

    def _send_error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        error = {"type": error_type(status), "message": message}
        self._send_json(status, {"type": "error", "error": error, "request_id": "req_scripted"}, headers)

    def _send_json(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        more = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
        for name, text in more.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, body: dict[str, Any], reply: Reply) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        message = _message(body, reply)
        opening = {**message, "content": [], "usage": {**message["usage"], "output_tokens": 1}}
        self._event("message_start", message=opening)
        pieces = 0
        for index, block in enumerate(reply.blocks):
            start, deltas = _parts(block, reply.piece)
            self._event("content_block_start", index=index, content_block=start)
            for delta in deltas:
                self._event("content_block_delta", index=index, delta=delta)
                pieces += 1
                if pieces == reply.cut_after:
                    self._break_connection()
                    return
                if pieces == reply.stall_after:
                    self.server.api.closing.wait()
                    self.close_connection = True
                    return
                self.server.api.closing.wait(reply.delay)
            self._event("content_block_stop", index=index)
            if reply.breaks:
                self._event("error", error={"type": "overloaded_error", "message": "The scripted overload."})
                break
        else:
            stop = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
            self._event("message_delta", delta=stop, usage=message["usage"])
            self._event("message_stop")
        self.wfile.write(b"0\r\n\r\n")

    def _break_connection(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _event(self, kind: str, **data: Any) -> None:
        event = f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()


def _message(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    return {
        "id": f"msg_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**_USAGE, **reply.usage},
    }


def _stop_reason(reply: Reply) -> str:
    return "tool_use" if any(block["type"] == "tool_use" for block in reply.blocks) else "end_turn"


def _parts(block: Block, size: int) -> tuple[Block, list[Block]]:
    """How a block streams: its empty start and its deltas."""
    kind = block["type"]
    if kind == "tool_use":
        written, delta_type, key = json.dumps(block["input"]), "input_json_delta", "partial_json"
        start = {**block, "input": {}}
    else:
        written, delta_type, key = block[kind], f"{kind}_delta", kind
        start = {"type": kind, kind: ""} | ({"signature": ""} if kind == "thinking" else {})
    deltas = [{"type": delta_type, key: written[at : at + size]} for at in range(0, len(written), size)]
    if kind == "thinking":
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    return start, deltas
