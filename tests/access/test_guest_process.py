"""A whole Lulu and the process of its guests' pages: who is served where, and that none is left behind."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect, unix_connect
from websockets.typing import Origin, Subprotocol

from lulu.server.guests.supervisor import STAND_BACK
from tests.access.server import OTHER, OTHER_TEXT, SHARED, SHARED_TEXT, Lulu, seed
from tests.conftest import NewServer
from tests.streamlit_client import StreamlitClient
from tests.support import eventually, process_tree
from tests.tiers import keep_short

pytestmark = pytest.mark.e2e


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder for temporary files: a short name, as a socket's address needs."""
    return tmp_path_factory.mktemp("t")


@pytest.fixture
def lulu(server: NewServer, place: Path) -> Lulu:
    """A server of its own, its owner signed in."""
    made = server(env={"LULU_AGENT": "demo", "TMPDIR": str(place)}, start=False)
    tokens = seed(made.data_dir)
    made.start()
    made.sign_in()
    return Lulu(server=made, tokens=tokens)


def behind(lulu: Lulu) -> list[psutil.Process]:
    """The processes of guests' pages."""
    return [one for one in process_tree(lulu.server.pid)[1:] if "lulu.ui.guest_app" in one.cmdline()]


def test_a_guest_is_served_by_another_process_and_an_owner_is_not(lulu: Lulu) -> None:
    with StreamlitClient(lulu.server.url, lulu.owner) as owner:
        owner.run(f"id={SHARED}", page_name="session")
        assert behind(lulu) == []

    with StreamlitClient(lulu.server.url, lulu.guest()) as guest, StreamlitClient(lulu.server.url, lulu.guest()) as too:
        shown = [guest.run(f"id={SHARED}"), too.run(f"id={SHARED}")]
        (process,) = behind(lulu)

    assert all(SHARED_TEXT in one for one in shown)
    assert process.nice() == psutil.Process(lulu.server.pid).nice() + STAND_BACK


def test_the_other_process_holds_no_token_and_no_lock(lulu: Lulu) -> None:
    with StreamlitClient(lulu.server.url, lulu.guest()) as guest:
        guest.run(f"id={SHARED}")
        (process,) = behind(lulu)
        environ = process.environ()
        folder = Path(process.cwd())
        opened = {Path(file.path).name for file in process.open_files()}

        told = f"{process.cmdline()} {environ}"
        connections = process.net_connections("tcp")

    assert not any(token in told for token in [*lulu.tokens.values(), lulu.owner.partition("=")[2]])
    assert not any(name.startswith("LULU_") for name in environ)
    # That of its socket, not the data folder.
    assert not folder.is_relative_to(lulu.server.data_dir)
    assert "lulu.db" in opened
    assert "lulu.db.lock" not in opened
    assert connections == []


@dataclass
class Intruder(StreamlitClient):
    """Connects to the other process itself, past the guard."""

    socket: Path = Path()
    headers: tuple[tuple[str, str], ...] = ()

    def __enter__(self) -> Intruder:
        self._stack = ExitStack()
        self._socket: ClientConnection = self._stack.enter_context(
            unix_connect(
                str(self.socket),
                self.url.replace("http", "ws", 1) + "/_stcore/stream",
                origin=Origin(self.url),
                subprotocols=[Subprotocol("streamlit")],
                additional_headers=self.headers,
                max_size=None,
            )
        )
        return self


@pytest.mark.parametrize("role", ["owner", "guest"])
@pytest.mark.parametrize("proof", ["", "0" * 64])
@pytest.mark.long
def test_who_gets_past_the_guard_sees_nothing(lulu: Lulu, place: Path, role: str, proof: str) -> None:
    headers = (("X-Lulu-Role", role), ("X-Lulu-Access", "1,2"), ("X-Lulu-Proof", proof))
    before = lulu.rows()
    with StreamlitClient(lulu.server.url, lulu.guest()) as guest:
        guest.run(f"id={SHARED}")
        (socket,) = place.glob("lulu-*/pages")
        with Intruder(lulu.server.url, "", socket=socket, headers=headers) as intruder:
            shown = [intruder.run(f"id={one}", page_name=page) for one in (SHARED, OTHER) for page in ("", "session")]
        address = lulu.server.url.replace("http", "ws", 1) + "/bell"
        with unix_connect(str(socket), address, additional_headers=headers, open_timeout=60) as bell:
            bell.send(json.dumps({"listen": [f"session:{SHARED}"]}))
            with pytest.raises(ConnectionClosed):
                bell.recv(timeout=60)

    assert all("This link has ended" in one for one in shown)
    assert SHARED_TEXT not in "".join(shown)
    assert OTHER_TEXT not in "".join(shown)
    assert lulu.rows() == before


@pytest.mark.long
def test_when_it_is_killed_the_next_one_serves_the_page_and_rings(lulu: Lulu) -> None:
    with StreamlitClient(lulu.server.url, lulu.guest()) as guest:
        guest.run(f"id={SHARED}")
        (process,) = behind(lulu)
        process.kill()
        guest.wait_for_end()

    def comes_again() -> bool:
        with StreamlitClient(lulu.server.url, lulu.guest()) as again:
            return SHARED_TEXT in again.run(f"id={SHARED}")

    assert eventually(comes_again, timeout=60, every=0.2, retry_on=(WebSocketException, OSError, TimeoutError))
    assert process.pid not in [one.pid for one in behind(lulu)]
    url = lulu.server.url
    address = url.replace("http", "ws", 1) + "/bell"
    with connect(
        address, origin=Origin(url), additional_headers={"Cookie": lulu.guest()}, proxy=None, open_timeout=60
    ) as bell:
        bell.send(json.dumps({"listen": [f"session:{SHARED}"]}))
        assert SHARED in str(bell.recv(timeout=60))


@pytest.mark.parametrize("how", keep_short(1, "killed", "asked"))
def test_it_ends_with_lulu_however_that_ends(lulu: Lulu, place: Path, how: str) -> None:
    with StreamlitClient(lulu.server.url, lulu.guest()) as guest:
        guest.run(f"id={SHARED}")
        (process,) = behind(lulu)
        assert list(place.glob("lulu-*"))
        if how == "asked":
            lulu.server.terminate()
        else:
            lulu.server.kill9()

    eventually(lambda: not psutil.pid_exists(process.pid))
    eventually(lambda: not list(place.glob("lulu-*")))
    # The last to close the file folds its log into it: that must be the one that writes.
    assert lulu.server.database.with_name("lulu.db-wal").exists() is (how == "killed")
    lulu.server.start()
    assert lulu.ask("/", cookie=lulu.guest()).status_code == 200
