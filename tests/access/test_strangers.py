"""The whole server while somebody asks for more than a browser does: whoever is let in notices nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from lulu.access.refusals import crowded
from lulu.server.connections.table import OF_ONE_SHARE, Limits
from tests.access.server import OTHER, OTHER_TEXT, SHARED, SHARED_TEXT, Lulu, seed
from tests.streamlit_client import StreamlitClient
from tests.support import LuluServer, clean_environ, eventually

pytestmark = pytest.mark.e2e

#: What the log may grow by, whatever strangers do (bytes).
MOST_LOG = 1_000_000
#: What one large message may cost the server (bytes of memory).
MOST_MEMORY = 20_000_000


#: How many files the server may open.
OPEN_FILES = [
    pytest.param(None, id="all files", marks=pytest.mark.long),
    pytest.param(1_024, id="1,024 files", marks=pytest.mark.long),
    pytest.param(256, id="256 files"),
]


@pytest.fixture(scope="module", params=OPEN_FILES)
def besieged(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Lulu]:
    folder = tmp_path_factory.mktemp("besieged")
    env = {**clean_environ(folder / "home"), "LULU_AGENT": "demo"}
    server = LuluServer(folder, env=env, files=request.param)
    tokens = seed(server.data_dir)
    server.start()
    server.sign_in()
    yield Lulu(server=server, tokens=tokens)
    server.close()


@contextlib.contextmanager
def flood(lulu: Lulu, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that say this and no more."""
    with contextlib.ExitStack() as stack:
        peers = []
        for _ in range(count):
            peer = stack.enter_context(socket.socket())
            peer.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                peer.connect(("127.0.0.1", lulu.server.port))
            peers.append(peer)
        waiting = set(peers)

        def say() -> bool:
            for peer in list(waiting):
                with contextlib.suppress(BlockingIOError):
                    with contextlib.suppress(ConnectionError):
                        peer.send(said)
                    waiting.discard(peer)
            return not waiting

        eventually(say, timeout=30)
        yield peers


def bell(lulu: Lulu, cookie: str, path: str = "/bell", *protocols: str) -> ClientConnection:
    address = lulu.server.url
    return connect(
        address.replace("http", "ws", 1) + path,
        origin=Origin(address),
        additional_headers={"Cookie": cookie},
        subprotocols=[Subprotocol(one) for one in protocols] or None,
        proxy=None,
        open_timeout=60,
        legacy=True,
    )


def read_to_the_end(peer: ClientConnection) -> None:
    while True:
        peer.recv(timeout=60)


def test_half_requests_lock_nobody_out(besieged: Lulu) -> None:
    lulu = besieged
    process = psutil.Process(lulu.server.pid)
    soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
    limits, before = Limits.within(soft), process.num_fds()
    log = len(lulu.server.log)
    headers = {"Cookie": lulu.owner}
    with (
        httpx.Client(base_url=lulu.server.url, headers=headers, timeout=60, trust_env=False, verify=False) as browser,
        bell(lulu, lulu.owner) as open_bell,
        StreamlitClient(lulu.server.url, lulu.guest()) as guest,
    ):
        assert browser.get("/").status_code == 200
        with flood(lulu, 2_000, b"GET / HTTP/1.1\r\nX: "):
            # On the connection that it has, and on a new one.
            assert browser.get("/").status_code == 200
            assert lulu.ask("/", cookie=lulu.owner).status_code == 200
            assert lulu.ask("/healthz").status_code == 200
            assert SHARED_TEXT in guest.run(f"id={SHARED}")
            open_bell.send('{"listen": ["sessions"]}')
            assert "sessions" in str(open_bell.recv(timeout=60))
            files = process.num_fds()
            # They end by themselves.
            eventually(lambda: process.num_fds() <= before + 30, timeout=60)

    assert soft == min(hard, 65_536)
    assert files <= before + limits.unjudged + 50
    assert len(lulu.server.log) - log < MOST_LOG
    assert "Too many open files" not in lulu.server.log


def test_one_guest_s_sockets_end_at_two_hundred(lulu: Lulu) -> None:
    refused: list[InvalidStatus] = []
    log = len(lulu.server.log)
    with contextlib.ExitStack() as stack:
        sockets = []
        for _ in range(500):
            try:
                sockets.append(stack.enter_context(bell(lulu, lulu.guest())))
            except InvalidStatus as exc:
                refused.append(exc)
        page = lulu.ask("/", cookie=lulu.guest())
        with bell(lulu, lulu.guest("other")), bell(lulu, lulu.owner):
            owner = lulu.ask("/", cookie=lulu.owner)
        sockets[0].close()

        eventually(lambda: lulu.ask("/", cookie=lulu.guest()).status_code == 200)

    assert (len(sockets), len(refused)) == (OF_ONE_SHARE, 500 - OF_ONE_SHARE)
    assert {exc.response.status_code for exc in refused} == {page.status_code} == {503}
    assert page.content == crowded().body
    assert owner.status_code == 200
    assert len(lulu.server.log) - log < MOST_LOG


def test_a_large_message_of_a_guest_costs_nothing(lulu: Lulu) -> None:
    process = psutil.Process(lulu.server.pid)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(bell(lulu, lulu.guest(), "/_stcore/stream", "streamlit", "x")) for _ in range(8)]
        before = process.memory_info().rss

        def send(peer: ClientConnection) -> None:
            with contextlib.suppress(ConnectionClosed, OSError):
                peer.socket.sendall(b"\x82\xff" + (45_000_000).to_bytes(8, "big") + b"abcd" + b"x" * 45_000_000)

        senders = [threading.Thread(target=send, args=[peer]) for peer in sockets]
        for sender in senders:
            sender.start()
        most = before
        while any(sender.is_alive() for sender in senders):
            most = max(most, process.memory_info().rss)
            assert lulu.ask("/healthz").status_code == 200

    assert most - before <= MOST_MEMORY


#: What begins a guest's flood, and what it goes on with: masked frames, by one guest, on one socket after the other.
FLOODS = {
    "empty fragments": (b"\x02\x80abcd", b"\x00\x80abcd"),
    "empty messages": (b"", b"\x82\x80abcd"),
    "empty words": (b"", b"\x81\x80abcd"),
    "pings": (b"", b"\x89\x80abcd"),
    # A run is asked for, again and again.
    "runs": (b"", b"\x82\x82\0\0\0\0\x5a\x00"),
}


@pytest.mark.parametrize(("first", "then"), FLOODS.values(), ids=FLOODS)
def test_a_guest_s_flood_is_cut_off_and_the_owner_notices_nothing(lulu: Lulu, first: bytes, then: bytes) -> None:
    log = len(lulu.server.log)
    with bell(lulu, lulu.guest("other"), "/_stcore/stream", "streamlit", "x") as other, contextlib.ExitStack() as stack:
        for _ in range(6):
            peer = stack.enter_context(bell(lulu, lulu.guest(), "/_stcore/stream", "streamlit", "x"))
            # It reads nothing, and says more than the server takes.
            with contextlib.suppress(OSError):
                peer.socket.sendall(first + then * 200_000)
            assert lulu.ask("/", cookie=lulu.owner).status_code == 200
            # The server has ended it.
            with pytest.raises(ConnectionClosed):
                read_to_the_end(peer)
        assert other.ping().wait(60)
        # Who watches has the page that everybody else has.
        with StreamlitClient(lulu.server.url, lulu.guest("other")) as guest:
            assert OTHER_TEXT in guest.run(f"id={OTHER}")

    assert len(lulu.server.log) - log < MOST_LOG
    assert "does not answer and is ended" not in lulu.server.log


def test_twenty_guests_with_ten_connections_each_notice_nothing(lulu: Lulu) -> None:
    headers = {"Cookie": lulu.guest(), "X-Forwarded-For": "192.0.2.7"}
    lulu.server.command("lan", "on")
    try:
        with contextlib.ExitStack() as stack:
            # All open before the first says anything, as through a proxy on this computer.
            peers = [stack.enter_context(socket.create_connection(("127.0.0.1", lulu.server.port))) for _ in range(200)]
            head = f"GET /favicon.png HTTP/1.1\r\nHost: 127.0.0.1:{lulu.server.port}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            for _ in range(3):
                for peer in peers:
                    peer.sendall((head + "\r\n").encode())
                answers = []
                for peer in peers:
                    peer.settimeout(60)
                    answers.append(_answer(peer))

                assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}
    finally:
        lulu.server.command("lan", "off")


def _answer(peer: socket.socket) -> bytes:
    """One whole answer."""
    said = b""
    while b"\r\n\r\n" not in said:
        part = peer.recv(65_536)
        assert part, said
        said += part
    head, _, body = said.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += peer.recv(65_536)
    return said
