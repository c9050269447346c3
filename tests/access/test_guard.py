"""The guard: whom it lets through."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from lulu.access.guard import ACCESS_HEADER, PROOF_HEADER, ROLE_HEADER, Admission, Guard, admission_of
from lulu.model.actors import Role
from tests.access.support import OWN, Client, ask, ask_socket, status_of_socket
from tests.doors import OpenDoor

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


# --- Host --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "is_ours"), HOSTS.items())
def test_only_names_of_this_machine_with_our_port_are_answered(host: str, is_ours: bool) -> None:
    answer = Client(host=host).get("/echo")

    assert answer.status_code == (200 if is_ours else 421)


@pytest.mark.parametrize(("host", "is_ours"), HOSTS.items())
def test_a_websocket_is_judged_by_its_host_too(host: str, is_ours: bool) -> None:
    status = status_of_socket(Client(), {"Host": host, "Origin": f"http://{host.lower()}"})

    assert status == (101 if is_ours else 421)


def test_a_wrong_name_is_told_the_right_one() -> None:
    answer = Client(host="evil.example:8501").get("/")

    assert "http://127.0.0.1:8501" in answer.text
    assert "evil" not in answer.text


def test_two_hosts_are_a_bad_request() -> None:
    status, _ = ask([(b"host", b"127.0.0.1:8501"), (b"host", b"evil.example")])

    assert status == 400


def test_no_host_is_a_bad_request() -> None:
    status, _ = ask([])

    assert status == 400


def test_the_port_is_the_one_that_was_connected_to() -> None:
    wrong, _ = ask([(b"host", b"127.0.0.1:8501")], server=("127.0.0.1", 9000))
    right, _ = ask([(b"host", b"127.0.0.1:9000")], server=("127.0.0.1", 9000))
    default, _ = ask([(b"host", b"localhost")], server=("127.0.0.1", 80))

    assert (wrong, right, default) == (421, 200, 200)


def test_without_a_port_nothing_is_answered() -> None:
    status, _ = ask([(b"host", b"127.0.0.1:8501")], server=None)

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
    status = status_of_socket(Client(), {"Host": host, "Origin": origin})

    assert status == (101 if origin == f"http://{host.lower()}" else 403)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_opens_no_websocket(origin: str) -> None:
    assert status_of_socket(Client(), {"Origin": origin}) == 403


def test_a_websocket_without_an_origin_is_refused() -> None:
    assert status_of_socket(Client(), {}) == 403


def test_two_origins_open_no_websocket() -> None:
    sent = ask_socket([(b"host", OWN.encode()), (b"origin", b"http://127.0.0.1:8501"), (b"origin", b"http://evil")])

    assert sent[0]["status"] == 403


def test_a_server_without_denial_answers_closes_the_websocket() -> None:
    sent = ask_socket([(b"host", b"evil.example")], extensions={})

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


def test_whoever_is_let_in_is_the_owner() -> None:
    answer = Client().get("/echo")

    assert "x-lulu-role=owner" in answer.text.splitlines()


@pytest.mark.parametrize("name", ["X-Lulu-Role", "x-lulu-access", "X-LULU-PROOF", "X_Lulu_Role", "X-Lulu-Anything"])
def test_what_a_client_says_of_itself_is_dropped(name: str) -> None:
    door = OpenDoor(admission=Admission(role=Role.GUEST, access_ids=(7, 9)))
    answer = Client(door=door).get("/", headers={name: "owner"})

    told = dict(line.split("=", 1) for line in answer.text.splitlines())
    assert told.pop(PROOF_HEADER.lower())
    assert told == {ROLE_HEADER.lower(): "guest", ACCESS_HEADER.lower(): "7,9"}


def test_the_page_believes_only_this_guard() -> None:
    seen: list[Admission | None] = []

    async def page(request: Request) -> Response:
        seen.append(admission_of(request.headers))
        return PlainTextResponse("")

    app = Starlette(routes=[Route("/", page)])
    forged = {ROLE_HEADER: "owner", PROOF_HEADER: "0" * 64, "Host": OWN}
    TestClient(app).get("/", headers=forged)
    TestClient(app).get("/", headers={ROLE_HEADER: "owner"})
    guarded = Guard(app, OpenDoor(admission=Admission(role=Role.OWNER, access_ids=(3,))))
    TestClient(guarded, base_url=f"http://{OWN}", client=("127.0.0.1", 1)).get("/", headers=forged)

    assert seen == [None, None, Admission(role=Role.OWNER, access_ids=(3,))]
