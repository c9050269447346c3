"""uvicorn with the table of connections: what a peer may hold, and that nothing is answered past the guard."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect
from websockets.typing import Origin

from lulu.access.guard import Admission
from lulu.model.actors import Role
from lulu.server.connections.protocols import SMALL_MESSAGE
from lulu.server.connections.table import HEAD_SECONDS, SHUT_OUT, SHUT_OUT_SECONDS, Limits
from tests.doors import OWNER, OpenDoor
from tests.server.served import LARGE, Served, greeted, is_closed
from tests.support import eventually

GUEST = Admission(role=Role.GUEST, access_ids=(7,))


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    with contextlib.ExitStack() as stack:

        def begin(admission: Admission | None = OWNER, **how: object) -> Served:
            served = Served(OpenDoor(admission=admission), **how)  # type: ignore[arg-type]  # as each test says
            stack.callback(served.close)
            return served

        yield begin


@pytest.fixture(scope="module")
def shut() -> Iterator[Served]:
    """One that lets nobody in."""
    served = Served(OpenDoor(admission=None))
    yield served
    served.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its own certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    day = timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - day)
        .not_valid_after(datetime.now(UTC) + day)
        .sign(key, hashes.SHA256())
    )
    kept = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    encoding = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(encoding, kept, plain) + made.public_bytes(encoding))
    return path


# --- Heads -------------------------------------------------------------------------------------------------------


HALVES = {
    "nothing": b"",
    "a half head": b"GET / HTTP/1.1\r\nX: ",
    "a request without a host, then half of one": b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP",
    "a body that never ends": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc",
    "chunks that never end": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
}


@pytest.mark.parametrize("said", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("admission", [None, OWNER], ids=["stranger", "owner"])
def test_whatever_is_not_finished_is_closed_after_ten_seconds(
    said: bytes, admission: Admission | None, serve: Callable[..., Served]
) -> None:
    served = serve(admission)
    with served.open(said) as peer:
        served.later(HEAD_SECONDS - 0.1)
        assert served.ask("GET / HTTP/1.1").startswith(b"HTTP/1.1 " + (b"200" if admission else b"401"))
        early = is_closed(peer)
        served.later(1_000)

        eventually(lambda: is_closed(peer))
    assert not early


def test_a_request_after_half_connections_is_answered(serve: Callable[..., Served]) -> None:
    served = serve(files=256)
    with served.open() as kept, contextlib.ExitStack() as stack:
        kept.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
        greeted(kept)
        flood = [stack.enter_context(served.open(HALVES["a half head"])) for _ in range(400)]

        assert served.ask("GET / HTTP/1.1").endswith(b"hello")

        # The one that was let in before is still there between its requests.
        kept.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
        greeted(kept)
        eventually(lambda: sum(is_closed(one) for one in flood) >= 400 - Limits.within(256).unjudged)


def test_another_computer_that_is_shut_out_is_told_so_and_no_more(serve: Callable[..., Served]) -> None:
    served = serve(None, is_shut=True)
    with contextlib.ExitStack() as stack:
        halves = [stack.enter_context(served.open(HALVES["a half head"])) for _ in range(SHUT_OUT + 4)]
        eventually(lambda: sum(is_closed(one) for one in halves) == 4)

        assert served.ask("GET / HTTP/1.1").startswith(b"HTTP/1.1 401")
        assert served.ask("GET / HTTP/1.1", Host="evil.example").startswith(b"HTTP/1.1 421")
        served.later(SHUT_OUT_SECONDS)

        eventually(lambda: all(is_closed(one) for one in halves))


# --- TLS ---------------------------------------------------------------------------------------------------------


def encrypted(served: Served) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(served.open())


def test_behind_tls_pages_and_sockets_are_served(serve: Callable[..., Served], certificate: Path) -> None:
    served = serve(certificate=certificate)
    with encrypted(served) as peer:
        peer.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
        answer = greeted(peer)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = f"127.0.0.1:{served.port}"
    with connect(f"wss://{address}/bell", origin=Origin(f"https://{address}"), ssl=context, proxy=None) as bell:
        bell.send("hello")
        heard = bell.recv()

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"wss://127.0.0.1" in answer
    assert heard == "5"


def test_a_request_that_comes_with_the_end_of_the_handshake_is_answered(
    serve: Callable[..., Served], certificate: Path
) -> None:
    """On a busy machine the server finds both at once."""
    served = serve(certificate=certificate)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(heard, said)
    with served.open() as peer:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                peer.sendall(said.read())
                heard.write(peer.recv(65_536))
        client.write(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
        peer.sendall(said.read())
        answer = b""
        while not answer.endswith(b"hello"):
            try:
                answer += client.read(65_536)
            except ssl.SSLWantReadError:
                heard.write(peer.recv(65_536))

    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_never_becomes_tls_is_bounded_too(said: bytes, serve: Callable[..., Served], certificate: Path) -> None:
    served = serve(files=256, certificate=certificate)
    limits = Limits.within(256)
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(served.open(said)) for _ in range(200)]
        eventually(lambda: sum(is_closed(one) for one in flood) >= 200 - limits.of_one_address)
        with encrypted(served) as peer:
            peer.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
            assert greeted(peer).startswith(b"HTTP/1.1 200")
        served.later(HEAD_SECONDS)

        eventually(lambda: all(is_closed(one) for one in flood))


# --- Messages ----------------------------------------------------------------------------------------------------


def test_a_guest_s_message_is_small_and_an_owner_s_may_be_large(serve: Callable[..., Served]) -> None:
    with serve(GUEST).socket() as guest:
        guest.send("x" * SMALL_MESSAGE)
        heard = guest.recv()
        guest.send("x" * (SMALL_MESSAGE + 1))
        with pytest.raises(ConnectionClosedError):
            guest.recv()
    with serve(OWNER).socket() as owner:
        owner.send("x" * LARGE)
        heard_owner = owner.recv()

    assert (heard, heard_owner) == (str(SMALL_MESSAGE), str(LARGE))


def test_a_large_message_is_refused_by_its_head(serve: Callable[..., Served]) -> None:
    # 45 MB are announced, and none of them comes.
    announced = b"\x82\xff" + (45_000_000).to_bytes(8, "big") + b"abcd"
    with serve(GUEST).socket() as guest:
        guest.socket.sendall(announced)

        with pytest.raises(ConnectionClosedError) as closed:
            guest.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_message_in_pieces_is_measured_as_a_whole(serve: Callable[..., Served]) -> None:
    with serve(GUEST).socket() as guest:
        # The end may come while the last piece is still being sent.
        with contextlib.suppress(ConnectionClosedError):
            guest.send(["x" * 30_000] * 3)
        with pytest.raises(ConnectionClosedError):
            guest.recv()


# --- Upgrades ----------------------------------------------------------------------------------------------------


KEY = "dGhlIHNhbXBsZSBub25jZQ=="
WHOLE = {
    "Connection": "Upgrade, close",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}
ODD = {
    **{method: (f"{method} /bell HTTP/1.1", {}) for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")},
    "no key": ("GET /bell HTTP/1.1", {"Sec-WebSocket-Key": ""}),
    "a short key": ("GET /bell HTTP/1.1", {"Sec-WebSocket-Key": "aaaa"}),
    "an old version": ("GET /bell HTTP/1.1", {"Sec-WebSocket-Version": "8"}),
    "another protocol": ("GET /bell HTTP/1.1", {"Upgrade": "h2c"}),
    "two protocols": ("GET /bell HTTP/1.1", {"Upgrade": "websocket, h2c"}),
    "two of the same": ("GET /bell HTTP/1.1", {"Upgrade": "websocket, websocket"}),
    "an old HTTP": ("GET /bell HTTP/1.0", {}),
    "a body": ("GET /bell HTTP/1.1", {"Content-Length": "3"}),
    "chunks": ("GET /bell HTTP/1.1", {"Transfer-Encoding": "chunked"}),
    "many headers": ("GET /bell HTTP/1.1", {f"X-{number}": "y" for number in range(300)}),
    "a long header": ("GET /bell HTTP/1.1", {"X": "y" * 12_000}),
    "a path that is none": ("GET bell HTTP/1.1", {}),
    "an address": ("GET http://evil.example/bell HTTP/1.1", {}),
    "an odd extension": ("GET /bell HTTP/1.1", {"Sec-WebSocket-Extensions": "=;="}),
    "an odd protocol": ("GET /bell HTTP/1.1", {"Sec-WebSocket-Protocol": "streamlit,,x"}),
    "nothing that is HTTP": ("\x00\x01\x02", {}),
    "a header that is none": ("GET /bell HTTP/1.1", {"X\x00": "y"}),
}


@pytest.mark.parametrize(("head", "changed"), ODD.values(), ids=ODD)
def test_whatever_looks_like_an_upgrade_is_answered_with_our_headers(
    head: str, changed: dict[str, str], shut: Served
) -> None:
    answer = shut.ask(head, **{**WHOLE, **changed})

    status = answer[:12]
    assert status in {b"HTTP/1.1 401", b"HTTP/1.1 403", b"HTTP/1.1 400"}
    assert b"content-security-policy: default-src 'none'" in answer.lower()
    assert b"x-frame-options: deny" in answer.lower()
    assert b"WebSocket connection" not in answer


def test_a_whole_upgrade_is_judged_by_the_guard(shut: Served) -> None:
    answer = shut.ask("GET /bell HTTP/1.1", **WHOLE, Origin=f"http://127.0.0.1:{shut.port}")

    assert answer.startswith(b"HTTP/1.1 401")
    assert b"content-security-policy" in answer.lower()
