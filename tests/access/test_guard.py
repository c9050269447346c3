"""The guard: what it lets through, what it answers itself, and what every answer carries."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from lulu.access import guard, headers
from lulu.access.guard import ACCESS_HEADER, PROOF_HEADER, ROLE_HEADER, Admission, Guard, admission_of
from lulu.actors import Role

PORT = 8501
OWN = f"127.0.0.1:{PORT}"

#: A Host header, and whether Lulu answers to it.
HOSTS = {
    "localhost:8501": True,
    "127.0.0.1:8501": True,
    "[::1]:8501": True,
    "lulu.localhost:8501": True,
    "LOCALHOST:8501": True,
    "localhost:8502": False,
    "localhost": False,
    "127.0.0.1": False,
    "evil.example:8501": False,
    "127.0.0.1.nip.io:8501": False,
    "localhost.evil.example:8501": False,
    "evil.localhost:8501": False,
    "localhost.:8501": False,
    "127.1:8501": False,
    "0x7f.1:8501": False,
    "2130706433:8501": False,
    "0.0.0.0:8501": False,
    "[::]:8501": False,
    "[::ffff:127.0.0.1]:8501": False,
    "user@localhost:8501": False,
    "localhost:8501@evil.example": False,
    "localhost:08501": False,
    "localhost:8501:8501": False,
    "localhost:+8501": False,
    "localhost:8501/": False,
    "localhost:8501, evil.example": False,
    " ": False,
    "": False,
}

#: An Origin for a page at 127.0.0.1:8501.
FOREIGN_ORIGINS = [
    "http://localhost:8700",
    "http://127.0.0.1:8502",
    "http://127.0.0.1",
    "https://127.0.0.1:8501",
    "http://localhost:8501",
    "http://evil.example",
    "http://127.0.0.1:8501.evil.example",
    "http://evil.example:8501",
    "http://0.0.0.0:8501",
    "http://user@127.0.0.1:8501",
    "http://127.0.0.1:8501/",
    "ws://127.0.0.1:8501",
    "null",
    "127.0.0.1:8501",
    "file://",
    "",
]


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


def _app(**options: Any) -> Starlette:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(
        routes=[
            Route("/echo", _echo, methods=methods),
            Route("/break", _break),
            Route("/break-late", _break_late),
            Route("/referrer", _own_referrer),
            WebSocketRoute("/socket", _socket),
            WebSocketRoute("/broken/{when}", _broken_socket),
        ],
        middleware=[Middleware(Guard, **options)],
    )


class Client(TestClient):
    """A browser on this machine, unless told otherwise."""

    def __init__(self, *, host: str = OWN, peer: str = "127.0.0.1", **options: Any) -> None:
        super().__init__(
            _app(**options), base_url=f"http://{OWN}", client=(peer, 50_000), raise_server_exceptions=False
        )
        self.headers["Host"] = host


def _status_of_socket(client: TestClient, sent: Mapping[str, str], path: str = "/socket") -> int:
    try:
        with client.websocket_connect(f"ws://{OWN}{path}", headers=dict(sent)) as websocket:
            websocket.receive_text()
            return 101
    except WebSocketDenialResponse as denial:
        return denial.status_code


# --- Host --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "is_ours"), HOSTS.items())
def test_only_names_of_this_machine_with_our_port_are_answered(host: str, is_ours: bool) -> None:
    answer = Client(host=host).get("/echo")

    assert answer.status_code == (200 if is_ours else 421)


@pytest.mark.parametrize(("host", "is_ours"), HOSTS.items())
def test_a_websocket_is_judged_by_its_host_too(host: str, is_ours: bool) -> None:
    status = _status_of_socket(Client(), {"Host": host, "Origin": f"http://{host.lower()}"})

    assert status == (101 if is_ours else 421)


def test_a_wrong_name_is_told_the_right_one() -> None:
    answer = Client(host="evil.example:8501").get("/")

    assert "http://127.0.0.1:8501" in answer.text
    assert "evil" not in answer.text


def test_two_hosts_are_a_bad_request() -> None:
    status, _ = _ask([(b"host", b"127.0.0.1:8501"), (b"host", b"evil.example")])

    assert status == 400


def test_no_host_is_a_bad_request() -> None:
    status, _ = _ask([])

    assert status == 400


def test_the_port_is_the_one_that_was_connected_to() -> None:
    wrong, _ = _ask([(b"host", b"127.0.0.1:8501")], server=("127.0.0.1", 9000))
    right, _ = _ask([(b"host", b"127.0.0.1:9000")], server=("127.0.0.1", 9000))
    default, _ = _ask([(b"host", b"localhost")], server=("127.0.0.1", 80))

    assert (wrong, right, default) == (421, 200, 200)


def test_without_a_port_nothing_is_answered() -> None:
    status, _ = _ask([(b"host", b"127.0.0.1:8501")], server=None)

    assert status == 421


# --- Origin ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [host for host, is_ours in HOSTS.items() if is_ours])
@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8501",
        "http://127.0.0.1:8501",
        "http://[::1]:8501",
        "http://lulu.localhost:8501",
        "http://evil.example:8501",
        "null",
    ],
)
def test_a_websocket_needs_exactly_the_origin_of_its_host(host: str, origin: str) -> None:
    status = _status_of_socket(Client(), {"Host": host, "Origin": origin})

    assert status == (101 if origin == f"http://{host.lower()}" else 403)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_opens_no_websocket(origin: str) -> None:
    assert _status_of_socket(Client(), {"Origin": origin}) == 403


def test_a_websocket_without_an_origin_is_refused() -> None:
    assert _status_of_socket(Client(), {}) == 403


def test_two_origins_open_no_websocket() -> None:
    sent = _ask_socket([(b"host", OWN.encode()), (b"origin", b"http://127.0.0.1:8501"), (b"origin", b"http://evil")])

    assert sent[0]["status"] == 403


def test_a_server_without_denial_answers_closes_the_websocket() -> None:
    sent = _ask_socket([(b"host", b"evil.example")], extensions={})

    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 403),
        ({"Origin": "http://127.0.0.1:8501"}, 200),
        ({"Origin": "http://127.0.0.1:8501", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8700", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://127.0.0.1:8501", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
def test_what_can_change_something_comes_from_our_own_page(method: str, sent: dict[str, str], status: int) -> None:
    assert Client().request(method, "/echo", headers=sent).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_changes_nothing(method: str, origin: str) -> None:
    assert Client().request(method, "/echo", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "same-origin"])
def test_a_link_from_anywhere_may_be_followed(site: str) -> None:
    answer = Client().get("/echo", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})

    assert answer.status_code == 200


# --- Who asks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "is_local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.20", False),
        ("::ffff:192.168.1.20", False),
        ("10.0.0.1", False),
        ("fe80::1", False),
        ("8.8.8.8", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_only_this_computer_is_let_in(peer: str, is_local: bool) -> None:
    client = Client(peer=peer)

    assert client.get("/echo").status_code == (200 if is_local else 401)
    assert _status_of_socket(client, {"Origin": f"http://{OWN}"}) == (101 if is_local else 401)


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "x-forwarded-for"])
def test_behind_a_proxy_nobody_is_local(name: str) -> None:
    assert Client().get("/echo", headers={name: "127.0.0.1"}).status_code == 401


def test_whoever_is_let_in_is_the_owner() -> None:
    answer = Client().get("/echo")

    assert "x-lulu-role=owner" in answer.text.splitlines()


@pytest.mark.parametrize("name", ["X-Lulu-Role", "x-lulu-access", "X-LULU-PROOF", "X_Lulu_Role", "X-Lulu-Anything"])
def test_what_a_client_says_of_itself_is_dropped(name: str) -> None:
    answer = Client(judge=lambda scope: Admission(role=Role.GUEST, access_id=7)).get("/echo", headers={name: "owner"})

    told = dict(line.split("=", 1) for line in answer.text.splitlines())
    assert told.pop(PROOF_HEADER.lower())
    assert told == {ROLE_HEADER.lower(): "guest", ACCESS_HEADER.lower(): "7"}


def test_nobody_gets_a_page_that_says_nothing() -> None:
    answer = Client(judge=lambda scope: None).get("/echo")

    assert (answer.status_code, answer.text) == (401, "You are not signed in.\n")


def test_the_page_believes_only_this_guard() -> None:
    seen: list[Admission | None] = []

    async def page(request: Request) -> Response:
        seen.append(admission_of(request.headers))
        return PlainTextResponse("")

    app = Starlette(routes=[Route("/", page)])
    forged = {ROLE_HEADER: "owner", PROOF_HEADER: "0" * 64, "Host": OWN}
    TestClient(app).get("/", headers=forged)
    TestClient(app).get("/", headers={ROLE_HEADER: "owner"})
    guarded = Guard(app, judge=lambda scope: Admission(role=Role.OWNER, access_id=3))
    TestClient(guarded, base_url=f"http://{OWN}").get("/", headers=forged)

    assert seen == [None, None, Admission(role=Role.OWNER, access_id=3)]


# --- Failures ----------------------------------------------------------------------------------------------------


def test_a_judge_that_fails_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    def broken(scope: Scope) -> Admission:
        raise RuntimeError("no database")

    with caplog.at_level(logging.CRITICAL, logger="lulu.access.guard"):
        answer = Client(judge=broken).get("/echo")
        status = _status_of_socket(Client(judge=broken), {"Origin": f"http://{OWN}"})

    assert (answer.status_code, status) == (500, 500)
    assert "no database" not in answer.text


def test_a_route_that_fails_says_nothing_of_the_inside() -> None:
    answer = Client().get("/break")

    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_an_answer_that_fails_midway_is_cut() -> None:
    client = TestClient(_app(), base_url=f"http://{OWN}", client=("127.0.0.1", 1))

    with pytest.raises(RuntimeError, match="the connection is cut"):
        client.get("/break-late")


def test_a_websocket_that_fails_is_closed() -> None:
    own = {"Origin": f"http://{OWN}"}

    with (
        Client().websocket_connect(f"ws://{OWN}/broken/accepted", headers=own) as websocket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        websocket.receive_text()

    assert closed.value.code == 1011
    assert _status_of_socket(Client(), own, "/broken/before") == 500


# --- Headers of every answer -------------------------------------------------------------------------------------


def _refused_socket() -> Any:
    with (
        pytest.raises(WebSocketDenialResponse) as denial,
        Client().websocket_connect(f"ws://{OWN}/socket", headers={"Origin": "null"}),
    ):
        pass
    return denial.value


ANSWERS: dict[str, Callable[[], Any]] = {
    "a route": lambda: Client().get("/echo"),
    "no such route": lambda: Client().get("/nothing"),
    "a wrong method": lambda: Client().delete("/break", headers={"Origin": f"http://{OWN}"}),
    "a failure": lambda: Client().get("/break"),
    "a wrong host": lambda: Client(host="evil.example").get("/echo"),
    "a wrong origin": lambda: Client().post("/echo", headers={"Origin": "http://evil.example"}),
    "nobody": lambda: Client(peer="8.8.8.8").get("/echo"),
    "only headers": lambda: Client(peer="8.8.8.8").head("/echo"),
    "a refused websocket": _refused_socket,
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_is_secured(kind: str) -> None:
    answer = ANSWERS[kind]()

    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert all("*" not in sources and "http:" not in sources for sources in policy.values())
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert len(answer.headers.get_list("content-security-policy")) == 1


def test_the_policy_names_our_own_websocket() -> None:
    policy = Client(host="lulu.localhost:8501").get("/echo").headers["content-security-policy"]

    assert "connect-src 'self' ws://lulu.localhost:8501" in policy


def test_a_page_with_a_form_may_choose_its_referrer_policy() -> None:
    assert Client().get("/referrer").headers["referrer-policy"] == "same-origin"


def test_the_policy_knows_the_inline_script_of_this_streamlit() -> None:
    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", index, re.DOTALL)

    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline]

    assert [f"'sha256-{digest}'" for digest in digests] == re.findall(
        r"'sha256-[^']+'", headers.content_security_policy()
    )


# --- Each step is needed -----------------------------------------------------------------------------------------


def test_without_the_host_step_a_rebound_name_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Client(host="evil.example:8501").get("/echo").status_code
    monkeypatch.setattr(guard, "LOCAL_NAMES", guard.LOCAL_NAMES | {"evil.example"})

    assert (refused, Client(host="evil.example:8501").get("/echo").status_code) == (421, 200)


def test_without_the_origin_step_another_page_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {"Origin": "http://localhost:8700"}
    refused = (Client().post("/echo", headers=sent).status_code, _status_of_socket(Client(), sent))
    monkeypatch.setattr(guard, "check_origin", lambda scope, authority: None)

    let_in = (Client().post("/echo", headers=sent).status_code, _status_of_socket(Client(), sent))

    assert (refused, let_in) == ((403, 403), (200, 101))


def test_without_the_judge_a_stranger_gets_in() -> None:
    refused = Client(peer="8.8.8.8").get("/echo").status_code
    anybody = Client(peer="8.8.8.8", judge=lambda scope: Admission(role=Role.OWNER)).get("/echo").status_code

    assert (refused, anybody) == (401, 200)


def test_without_stripping_a_forged_role_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    forged = {ROLE_HEADER: "owner"}
    guest = Client(judge=lambda scope: Admission(role=Role.GUEST))
    before = guest.get("/echo", headers=forged).text
    monkeypatch.setattr(guard, "_is_ours", lambda name: False)

    after = guest.get("/echo", headers=forged).text

    assert ("x-lulu-role=owner" in before, "x-lulu-role=owner" in after) == (False, True)


# --- The bare protocol -------------------------------------------------------------------------------------------


def _scope(kind: str, sent: list[tuple[bytes, bytes]], **more: Any) -> Scope:
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


def _ask(sent: list[tuple[bytes, bytes]], **more: Any) -> tuple[int, list[Message]]:
    messages = _run(_scope("http", sent, **more))
    return messages[0]["status"], messages


def _ask_socket(sent: list[tuple[bytes, bytes]], **more: Any) -> list[Message]:
    return _run(_scope("websocket", sent, **{"extensions": {"websocket.http.response": {}}, **more}))


def _run(scope: Scope) -> list[Message]:
    """Drive the guard as a server would, without an event loop: nothing here waits."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b""})

    call = Guard(application)(scope, receive, send)
    with pytest.raises(StopIteration):
        call.send(None)
    return messages
