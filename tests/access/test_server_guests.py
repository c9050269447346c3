"""The whole server, asked by guests: what they see, what they send, and what ends them."""

from __future__ import annotations

import platform
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from lulu.access.tokens import hash_of, new_token
from tests.access.server import METHODS, OTHER, OTHER_TEXT, PAGES, SECRET, SHARED, SHARED_TEXT, Lulu
from tests.streamlit_client import StreamlitClient

pytestmark = pytest.mark.e2e

#: A WebSocket's last frame, with code 1008: after it nothing is sent.
CLOSED_BY_GUARD = b"\x88\x02\x03\xf0"

# --- Guests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    [*PAGES, "/control", "/media/a.txt", "/_stcore/upload_file/a/b", "/_stcore/metrics"],
)
def test_a_guest_gets_no_other_route(lulu: Lulu, path: str, method: str) -> None:
    assert lulu.ask(path, method=method, cookie=lulu.guest(), Origin=lulu.server.url).status_code == 403


def test_a_guest_sees_the_shared_session_without_its_secret(lulu: Lulu) -> None:
    with StreamlitClient(lulu.server.url, lulu.guest()) as client:
        shown = client.run(f"id={SHARED}")

    assert SHARED_TEXT in shown
    assert SECRET not in shown
    assert "github token hidden" in shown
    assert OTHER_TEXT not in shown


def test_a_guest_learns_nothing_of_the_machine(lulu: Lulu) -> None:
    """Streamlit's first message has the path of its script, Python's version and the system, drawn by no page."""
    with StreamlitClient(lulu.server.url, lulu.guest()) as client:
        client.run(f"id={SHARED}")

    told = b"".join(client.received)
    assert SHARED_TEXT.encode() in told
    assert str(Path(__file__).parents[2]).encode() not in told
    assert platform.python_version().encode() not in told


@pytest.mark.parametrize(
    "attempt",
    [
        {"query": f"id={OTHER}"},
        {"query": f"id={SHARED}&id={OTHER}"},
        {"query": f"id={OTHER}&id={SHARED}"},
        {"query": ""},
        *({"query": f"id={OTHER}", "page_name": page.strip("/")} for page in PAGES),
        {"query": "q=narwhal", "page_name": "search"},
        {"query": f"id={SHARED}&q=narwhal", "page_name": "search"},
        {"query": f"id={SHARED}&q=narwhal", "page_name": "search", "widgets": {"q": "narwhal"}},
        {"query": f"id={OTHER}", "page_hash": "0" * 32},
        {"query": "id=%00"},
        {"query": "id=../" + OTHER},
        {"query": "id=' OR 1=1--"},
        {"query": "id=" + "x" * 3_000},
        {"query": f"id={SHARED}", "widgets": {"prompt": "rm -rf /", "stop": "x", "share_make": "x"}},
        {"query": f"id={OTHER}", "widgets": {"$$ID-x-prompt": "do it", "$$ID-x-approve_1": "x"}},
    ],
    ids=lambda attempt: str(attempt)[:60],
)
def test_whatever_a_guest_sends_shows_and_changes_nothing(lulu: Lulu, attempt: dict[str, object]) -> None:
    before = lulu.rows()

    with StreamlitClient(lulu.server.url, lulu.guest()) as client:
        client.run(f"id={SHARED}")
        shown = client.run(**attempt)  # type: ignore[arg-type]  # one dictionary for every shape of message

    assert OTHER_TEXT not in shown
    assert "New session" not in shown
    assert SECRET not in shown
    assert lulu.rows() == before


def test_pages_of_the_owner_are_not_run_for_a_guest(lulu: Lulu) -> None:
    with StreamlitClient(lulu.server.url, lulu.owner) as owner:
        owner.run(f"id={OTHER}", page_name="session")
    hashes = owner.page_hashes()

    with StreamlitClient(lulu.server.url, lulu.guest()) as guest:
        shown = [guest.run(f"id={OTHER}", page_hash=one) for one in sorted(hashes)]

    assert len(hashes) >= 5
    assert OTHER_TEXT not in "".join(shown)
    assert "Current settings" not in "".join(shown)


def test_a_guest_cannot_take_over_the_owner_s_session(lulu: Lulu) -> None:
    with StreamlitClient(lulu.server.url, lulu.owner) as owner:
        owner.run(f"id={OTHER}", page_name="session")
        with StreamlitClient(lulu.server.url, lulu.guest(), resume=owner.session_id) as guest:
            shown = guest.run(f"id={OTHER}")

    assert owner.session_id
    assert guest.session_id != owner.session_id
    assert OTHER_TEXT not in shown


def test_a_guest_of_two_sessions_sees_each_at_its_address_only(lulu: Lulu) -> None:
    with StreamlitClient(lulu.server.url, lulu.guest("share", "other")) as client:
        first = client.run(f"id={SHARED}")
        second = client.run(f"id={OTHER}")

    assert SHARED_TEXT in first
    assert OTHER_TEXT not in first
    assert OTHER_TEXT in second


@pytest.mark.parametrize(
    ("topic", "is_heard"),
    [
        *((f"session:{SHARED}", True), (f"row:{SHARED}", True), (f"session:{OTHER}", False), ("sessions", False)),
        *(("approvals", False), ("access", False), ("health", False), ("visitors", False)),
        # The words as they are stored are for owners.
        *((f"text:{SHARED}", False), (f"shared:{SHARED}", True), (f"shared:{OTHER}", False)),
    ],
)
def test_a_guest_hears_of_the_shared_session_only(lulu: Lulu, topic: str, is_heard: bool) -> None:
    url = lulu.server.url
    address = url.replace("http", "ws", 1) + "/bell"
    with connect(
        address, origin=Origin(url), additional_headers={"Cookie": lulu.guest()}, proxy=None, open_timeout=60
    ) as bell:
        bell.send(f'{{"listen": ["{topic}"]}}')
        try:
            heard = str(bell.recv(timeout=60))
        except ConnectionClosed:
            heard = ""

    assert (topic in heard) is is_heard
    assert SECRET not in heard


# --- Ends --------------------------------------------------------------------------------------------------------


def test_signing_a_device_out_ends_its_sockets(lulu: Lulu) -> None:
    token = lulu.login_token()
    cookie = lulu.ask(f"/login?t={token}").headers["set-cookie"].split(";", 1)[0]
    with StreamlitClient(lulu.server.url, cookie) as device:
        device.run(page_name="devices")
        with sqlite3.connect(f"file:{lulu.server.database}?mode=ro", uri=True) as database:
            found = database.execute(
                "SELECT id FROM access WHERE token_hash = ?", [hash_of(cookie.partition("=")[2])]
            ).fetchone()
        device.press(device.widget_id(f"remove_{found[0]}"), "devices")
        device.wait_for_end()

    assert lulu.ask("/", cookie=cookie).status_code == 401


def test_a_link_that_ends_cuts_off_a_client_that_answers_nothing(lulu: Lulu) -> None:
    token, expires = new_token(), datetime.now(UTC) + timedelta(seconds=8)
    with sqlite3.connect(lulu.server.database, timeout=10) as database:
        database.execute(
            "INSERT INTO access (kind, token_hash, session_id, label, options, created_at, created_by, expires_at) "
            "SELECT kind, ?, session_id, 'deaf', options, created_at, created_by, ? FROM access WHERE token_hash = ?",
            [hash_of(token), expires.isoformat(), hash_of(lulu.tokens["share"])],
        )
    asked = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1:{lulu.server.port}\r\nOrigin: {lulu.server.url}\r\n"
        f"Cookie: lulu_guest={token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\nSec-WebSocket-Protocol: streamlit, x\r\n\r\n"
    )

    # It asks once and says nothing more, not even that it has heard of the end.
    with socket.create_connection(("127.0.0.1", lulu.server.port), timeout=60) as deaf:
        deaf.sendall(asked.encode())
        heard = deaf.recv(65536)
        while not heard.endswith(CLOSED_BY_GUARD):
            more = deaf.recv(65536)
            assert more, heard
            heard += more
        late = (datetime.now(UTC) - expires).total_seconds()

    assert heard.startswith(b"HTTP/1.1 101")
    assert late >= 0
    assert lulu.ask(f"/s/{token}").status_code == 401
