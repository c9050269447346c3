"""The guard: from where it answers, what it leaves open, what a guest may ask for, and when it ends a socket."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from starlette.types import Message, Receive, Scope, Send

from lulu.access import guard
from lulu.access.addresses import Authority
from lulu.access.guard import Admission, Guard
from lulu.access.refusals import CLOSED_PAGE, Refusal
from lulu.model.actors import Role
from tests.access.support import OWN, Client, scope_of, status_of_socket
from tests.doors import OpenDoor

PUBLIC = Authority(scheme="https", name="lulu.example.org", port=443)

#: The address of a peer, and whether it is this computer.
PEERS = {
    "127.0.0.1": True,
    "127.8.8.8": True,
    "::1": True,
    "::ffff:127.0.0.1": True,
    "192.168.1.20": False,
    "::ffff:192.168.1.20": False,
    "10.0.0.1": False,
    "fe80::1": False,
    "8.8.8.8": False,
    "testclient": False,
    "": False,
}

OPEN = ["/login", "/pair/abc", "/s/abc", "/healthz"]
CLOSED = [
    *("/", "/session", "/settings", "/echo", "/bell", "/control", "/docs", "/favicon.png", "/static/js/index.js"),
    *("/login/", "/login/x", "/loginx", "/LOGIN", "/pair", "/pair/", "/pair/a/b", "/s", "/s/", "/s/a/b", "/s/a/../b"),
    *("/healthz/", "/healthz/x", "//login", "/x/../login", "/_stcore/stream", "/_stcore/health", "/_stcore/metrics"),
    *("/_stcore/host-config", "/_stcore/upload_file/a/b", "/_stcore/agent/openapi.json", "/media/x.txt"),
]
GUESTS = ["/", "/_stcore/stream", "/_stcore/health", "/_stcore/host-config", "/static/js/index.js", "/bell", "/s/abc"]
NOT_GUESTS = [
    *("/session", "/settings", "/control", "/media/x.txt", "/_stcore/upload_file/a/b", "/_stcore/metrics", "/audit"),
    *("/_stcore/agent/openapi.json", "/_stcore/bidi-components", "/static/../control", "/s/../control", "/devices"),
]


# --- From where --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize(("peer", "is_local"), PEERS.items())
def test_another_computer_is_answered_only_while_lan_access_is_on(peer: str, is_local: bool, is_open: bool) -> None:
    client = Client(peer=peer, door=OpenDoor(is_open_to_lan=is_open))

    answered = is_local or is_open
    assert client.get("/echo").status_code == (200 if answered else 403)
    assert status_of_socket(client, {"Origin": f"http://{OWN}"}) == (101 if answered else 403)


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("host", ["192.168.1.5:8501", "[fd00::5]:8501", "192.168.1.5:9000", "192.168.1.6:8501"])
def test_own_addresses_are_names_only_while_lan_access_is_on(host: str, is_open: bool) -> None:
    door = OpenDoor(is_open_to_lan=is_open, names=frozenset({"192.168.1.5", "[fd00::5]"}))

    is_ours = is_open and host in ("192.168.1.5:8501", "[fd00::5]:8501")
    assert Client(host=host, door=door).get("/echo").status_code == (200 if is_ours else 421)
    sent = {"Host": host, "Origin": f"http://{host}"}
    assert status_of_socket(Client(door=door), sent) == (101 if is_ours else 421)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("lulu.example.org", "https://lulu.example.org", 101),
        ("lulu.example.org:443", "https://lulu.example.org", 101),
        ("lulu.example.org", "http://lulu.example.org", 403),
        ("lulu.example.org", "https://lulu.example.org.evil.example", 403),
        ("lulu.example.org", "https://evil.example", 403),
        ("lulu.example.org:8501", "https://lulu.example.org:8501", 421),
        ("evil.example", "https://evil.example", 421),
    ],
)
def test_the_public_address_is_one_more_name(host: str, origin: str, status: int) -> None:
    door = OpenDoor(is_open_to_lan=True, public=PUBLIC)

    assert status_of_socket(Client(door=door), {"Host": host, "Origin": origin}) == status


def test_the_public_address_needs_lan_access() -> None:
    assert Client(host="lulu.example.org", door=OpenDoor(public=PUBLIC)).get("/echo").status_code == 421


# --- What is open ------------------------------------------------------------------------------------------------


def _passes(path: str, role: Role, method: str = "GET") -> bool:
    scope = scope_of("http", [(b"host", OWN.encode())], path=path, method=method)
    admission = None if role is Role.NOBODY else Admission(role=role, access_ids=(1,))
    statuses: list[int] = []
    try:
        guard.check_path(scope, guard.admit(scope, OpenDoor(admission=admission)))
    except Refusal as refusal:
        statuses.append(refusal.status)
    assert statuses in ([], [401 if role is Role.NOBODY else 403])
    return not statuses


@pytest.mark.parametrize("path", OPEN)
def test_only_the_ways_in_are_open_to_everybody(path: str) -> None:
    assert _passes(path, Role.NOBODY)


@pytest.mark.parametrize("path", CLOSED)
def test_everything_else_needs_a_credential(path: str) -> None:
    assert not _passes(path, Role.NOBODY)


@pytest.mark.parametrize("path", OPEN)
def test_no_websocket_is_open_to_everybody(path: str) -> None:
    scope = scope_of("websocket", [(b"host", OWN.encode())], path=path)

    with pytest.raises(Refusal) as refused:
        guard.admit(scope, OpenDoor(admission=None))

    assert refused.value.status == 401


@pytest.mark.parametrize("path", ["/", "/echo", "/session?id=1", "/nothing"])
def test_nobody_gets_one_page_that_says_nothing(path: str) -> None:
    answer = Client(door=OpenDoor(admission=None)).get(path)

    assert (answer.status_code, answer.text) == (401, CLOSED_PAGE + "\n")
    assert "src=" not in answer.text
    assert re.findall(r"href=\"([^\"]*)\"", answer.text) == ["data:,"]


@pytest.mark.parametrize("path", GUESTS)
def test_a_guest_gets_what_their_page_needs(path: str) -> None:
    assert _passes(path, Role.GUEST)


@pytest.mark.parametrize("path", NOT_GUESTS)
def test_a_guest_gets_nothing_else(path: str) -> None:
    assert not _passes(path, Role.GUEST)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/static/js/index.js", "/bell"])
def test_a_guest_changes_nothing(path: str, method: str) -> None:
    assert not _passes(path, Role.GUEST, method)


# --- Sockets end with their credential ---------------------------------------------------------------------------


class DeafClient:
    """A socket whose client never says anything and answers nothing."""

    def __init__(self, door: OpenDoor) -> None:
        self.sent: list[Message] = []
        self.ended = asyncio.Event()
        origin = (b"origin", f"http://{OWN}".encode())
        scope = scope_of("websocket", [(b"host", OWN.encode()), origin], path="/bell")
        self.served = asyncio.ensure_future(Guard(self._application, door)(scope, self._receive, self._send))

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "text": "a line"})
                await asyncio.sleep(0.01)
        finally:
            self.ended.set()

    async def _receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nobody speaks")

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def hears(self) -> None:
        """Wait until it has heard some lines more."""
        before = len(self.sent)
        async with asyncio.timeout(30):
            while len(self.sent) <= before + 3:
                await asyncio.sleep(0.01)


async def _cut(door: OpenDoor, *, change: Admission | None, rings: bool, within: float = 30) -> list[Message]:
    client = DeafClient(door)
    await client.hears()
    door.admission = change
    if rings:
        door.change()
    await asyncio.wait_for(client.served, within)
    assert client.ended.is_set()
    assert door.open == 0
    return client.sent


@pytest.mark.parametrize(
    "after",
    [None, Admission(role=Role.GUEST, access_ids=(2,)), Admission(role=Role.GUEST)],
    ids=["none", "other", "no"],
)
def test_a_revoked_socket_ends_though_its_client_does_not_answer(after: Admission | None) -> None:
    door = OpenDoor(admission=Admission(role=Role.GUEST, access_ids=(1,)))

    sent = asyncio.run(_cut(door, change=after, rings=True))

    assert sent[-1] == {"type": "websocket.close", "code": 1008}
    assert len(sent) > 3


def test_an_expired_socket_ends_by_itself() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    door = OpenDoor(admission=Admission(role=Role.GUEST, access_ids=(1,), expires_at=soon))

    sent = asyncio.run(_cut(door, change=None, rings=False))

    assert sent[-1] == {"type": "websocket.close", "code": 1008}


def test_a_socket_of_another_computer_ends_with_lan_access(monkeypatch: pytest.MonkeyPatch) -> None:
    door = OpenDoor(is_open_to_lan=True)
    monkeypatch.setattr(door, "is_here", lambda scope: False)

    async def closed() -> list[Message]:
        client = DeafClient(door)
        await client.hears()
        door.is_open_to_lan = False
        door.change()
        await asyncio.wait_for(client.served, 30)
        return client.sent

    assert asyncio.run(closed())[-1]["type"] == "websocket.close"


def test_another_change_leaves_a_socket_open() -> None:
    door = OpenDoor()

    async def still_open() -> bool:
        client = DeafClient(door)
        await client.hears()
        door.change()
        await client.hears()
        is_open = not client.served.done()
        client.served.cancel()
        await asyncio.gather(client.served, return_exceptions=True)
        return is_open

    assert asyncio.run(still_open())


def test_without_the_watch_a_revoked_socket_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: Guard, scope: Scope, admission: Admission) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Guard, "_until_ended", never)

    with pytest.raises(TimeoutError):
        asyncio.run(_cut(OpenDoor(), change=None, rings=True, within=1))
