"""The whole server, asked as a stranger, as a guest and as the owner would, and as none of them should."""

from __future__ import annotations

import socket
import sqlite3
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from lulu.access.refusing import CLOSED_PAGE
from lulu.access.tokens import hash_of, new_token
from lulu.actors import LULU
from lulu.events import Text, User
from lulu.sessions import Launch, SessionId, SessionStatus
from lulu.store import AccessKind, ShareOptions, Store
from tests.streamlit_client import StreamlitClient
from tests.support import LuluServer, clean_environ, process_tree

SHARED, OTHER = "shared-session-1", "other-session-2"
SHARED_TEXT, OTHER_TEXT = "walrus in the open", "narwhal that nobody shared"
SECRET = "ghp_" + "aB3d" * 9

pytestmark = pytest.mark.e2e

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PATHS = [
    *("/", "/session", f"/session?id={SHARED}", "/search", "/settings", "/devices", "/audit", "/preview", "/control"),
    *("/bell", "/index.html", "/static/js/x.js", "/favicon.png", "/manifest.json", "/robots.txt", "/.env", "/%00"),
    *("/_stcore/health", "/_stcore/host-config", "/_stcore/stream", "/_stcore/metrics", "/_stcore/script-health-check"),
    *("/_stcore/allowed-message-origins", "/_stcore/agent/openapi.json", "/_stcore/upload_file/a/b", "/media/a.txt"),
    *("/component/x/index.html", "/_stcore/bidi-components/x/y.js", "/oauth2callback", "/auth/login", "/made/up"),
]


@dataclass(frozen=True, kw_only=True)
class Lulu:
    """A running server with two sessions, and the tokens that were made for it."""

    server: LuluServer
    tokens: dict[str, str]

    @property
    def owner(self) -> str:
        """The owner's cookie."""
        return self.server.sign_in()

    def guest(self, *names: str) -> str:
        """The cookie of somebody with these shares."""
        return "lulu_guest=" + ".".join(self.tokens[name] for name in names or ("share",))

    def ask(self, path: str, *, method: str = "GET", cookie: str = "", **headers: str) -> httpx.Response:
        """One request, followed nowhere."""
        sent = {**({"Cookie": cookie} if cookie else {}), **{name.replace("_", "-"): headers[name] for name in headers}}
        return httpx.request(method, self.server.url + path, headers=sent, timeout=20, trust_env=False)

    def login_token(self) -> str:
        """A fresh one-time token."""
        sent = {"Cookie": self.owner, "Origin": self.server.url}
        answer = httpx.post(f"{self.server.url}/control", json={"do": "login"}, headers=sent, trust_env=False)
        return str(answer.json()["link"]).partition("?t=")[2]

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        with sqlite3.connect(f"file:{self.server.database}?mode=ro", uri=True) as database:
            tables = ["sessions", "conversation_events", "commands", "approvals", "auto_approve_rules", "settings"]
            return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def _seed(data: Path) -> dict[str, str]:
    data.mkdir(parents=True)
    store = Store.open(data / "lulu.db")
    for session_id, text in ((SHARED, SHARED_TEXT), (OTHER, OTHER_TEXT)):
        launch = Launch(prompt=f"About a {text}", working_directory="/srv/project", title=f"The {text}")
        store.insert_session(launch, session_id=SessionId(session_id), status=SessionStatus.COMPLETED)
        store.append(session_id, [User(text=f"About a {text}"), Text(content=f"It is a {text}. {SECRET}")])
    names = ["share", "soon", "late", "revoked", "other", "pair", "pair_late", "pair_two"]
    tokens = {name: new_token() for name in names}
    now = datetime.now(UTC)

    def share(name: str, session_id: str, *, seconds: float | None = None) -> int:
        expires = None if seconds is None else now + timedelta(seconds=seconds)
        made = store.share(
            LULU, session_id, hash_of(tokens[name]), expires_at=expires, options=ShareOptions(), label=name
        )
        return made.id

    share("share", SHARED)
    share("other", OTHER)
    share("late", SHARED, seconds=-1)
    store.revoke(LULU, share("revoked", SHARED))
    for name, minutes in (("pair", 60.0), ("pair_two", 60.0), ("pair_late", -1.0)):
        store.make_link(LULU, AccessKind.PAIR, hash_of(tokens[name]), minutes=minutes)
    store.close()
    return tokens


@pytest.fixture(scope="module")
def lulu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lulu]:
    """One server for all tests of this module."""
    folder = tmp_path_factory.mktemp("access")
    server = LuluServer(folder, env={**clean_environ(folder / "home"), "LULU_AGENT": "demo"})
    tokens = _seed(server.data_dir)
    server.start()
    server.sign_in()
    yield Lulu(server=server, tokens=tokens)
    server.close()


# --- Strangers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_gets_nothing_anywhere(lulu: Lulu, path: str, method: str) -> None:
    answer = lulu.ask(path, method=method, Origin=lulu.server.url)

    assert answer.status_code == 401
    assert answer.text in ("", CLOSED_PAGE + "\n")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "sent",
    [
        {"X_Lulu_Role": "owner", "X_Lulu_Proof": "0" * 64, "X_Lulu_Access": "1"},
        {"X_Forwarded_For": "127.0.0.1"},
        {"Authorization": "Bearer " + "a" * 43},
        {"Cookie": "lulu_owner=" + "a" * 43},
        {"Cookie": "lulu_owner="},
        {"Cookie": "lulu_owner=" + "a" * 8_000},
        {"Cookie": "lulu_guest=" + ".".join(["a" * 43] * 30)},
        {"Cookie": "_streamlit_user=x; lulu_owner=\x01"},
    ],
    ids=str,
)
def test_forged_headers_and_cookies_open_nothing(lulu: Lulu, sent: dict[str, str]) -> None:
    assert lulu.ask("/", **sent).status_code in (401, 403)


@pytest.mark.parametrize("path", ["/_stcore/stream", "/bell", "/login", "/healthz", "/s/x"])
@pytest.mark.parametrize("kind", ["no cookie", "no origin", "foreign origin", "null", "other port", "wrong host"])
def test_no_websocket_without_credential_and_our_origin(lulu: Lulu, path: str, kind: str) -> None:
    url = lulu.server.url
    origins = {
        "no origin": None,
        "foreign origin": "http://evil.example",
        "null": "null",
        "other port": "http://127.0.0.1:1",
    }
    origin = origins.get(kind, url)
    headers = {} if kind == "no cookie" else {"Cookie": lulu.owner}
    address = url.replace("http", "ws", 1)
    sock = None
    if kind == "wrong host":
        sock = socket.create_connection(("127.0.0.1", lulu.server.port))
        address, origin = "ws://evil.example:1", "http://evil.example:1"

    with pytest.raises(InvalidStatus) as refused:
        connect(
            address + path,
            origin=Origin(origin) if origin else None,
            additional_headers=headers,
            sock=sock,
            proxy=None,
        )

    assert refused.value.response.status_code == {"no cookie": 401, "wrong host": 421}.get(kind, 403)


def test_the_health_check_tells_no_data(lulu: Lulu) -> None:
    answer = lulu.ask("/healthz")

    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "version", "store"}


# --- Links -------------------------------------------------------------------------------------------------------


def test_a_login_link_counts_once_and_its_cookie_is_for_the_browser_only(lulu: Lulu) -> None:
    token = lulu.login_token()

    first, second = (lulu.ask(f"/login?t={token}") for _ in range(2))

    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"} <= set(first.headers["set-cookie"].split("; "))
    assert (second.status_code, second.text) == (401, CLOSED_PAGE + "\n")


@pytest.mark.parametrize(
    "query",
    ["", "?t=", "?t=a", "?t=" + "a" * 43, "?t=" + "a" * 10_000, "?t=%00", "?t[]=x", "?T=x", "?t=' OR 1=1--", "?t=ä"],
)
def test_a_wrong_login_link_gets_the_one_page(lulu: Lulu, query: str) -> None:
    answer = lulu.ask(f"/login{query}")

    assert (answer.status_code, answer.text) == (401, CLOSED_PAGE + "\n")


def test_a_tampered_login_link_gets_the_one_page_and_leaves_the_true_one(lulu: Lulu) -> None:
    token = lulu.login_token()
    tampered = [token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-1], token + "a", token.swapcase()]

    answers = [lulu.ask(f"/login?t={one}").status_code for one in tampered]

    assert answers == [401] * 4
    assert lulu.ask(f"/login?t={token}").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "https://evil.example", "https:///evil.example", "\\\\evil.example", "/\\evil.example"),
        *("javascript:alert(1)", "%2F%2Fevil.example", "http:evil.example", "%09/evil.example", "@evil.example"),
    ],
)
def test_no_address_says_where_a_login_leads(lulu: Lulu, target: str) -> None:
    for name in ("next", "url", "redirect"):
        answer = lulu.ask(f"/login?t={lulu.login_token()}&{name}={target}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_wrong_late_and_revoked_shares_get_one_and_the_same_page(lulu: Lulu) -> None:
    tokens = [new_token(), lulu.tokens["late"], lulu.tokens["revoked"], lulu.tokens["pair"], "x", "a" * 5_000]

    answers = [lulu.ask(f"/s/{token}") for token in tokens]

    assert {(answer.status_code, answer.text) for answer in answers} == {(401, CLOSED_PAGE + "\n")}
    assert len({tuple(sorted(set(answer.headers) - {"date"})) for answer in answers}) == 1


def test_a_share_moves_into_a_cookie_and_out_of_the_address(lulu: Lulu) -> None:
    first = lulu.ask(f"/s/{lulu.tokens['share']}")
    cookie = first.headers["set-cookie"].split(";", 1)[0]
    second = lulu.ask(f"/s/{lulu.tokens['other']}", cookie=cookie)
    owner = lulu.ask(f"/s/{lulu.tokens['share']}", cookie=lulu.owner)

    assert (first.status_code, first.headers["location"]) == (303, f"/?id={SHARED}")
    assert second.headers["set-cookie"].split(";", 1)[0].count(".") == 1
    assert owner.headers["location"] == f"/session?id={SHARED}"
    assert "set-cookie" not in owner.headers
    assert first.headers["referrer-policy"] == "no-referrer"


def test_a_device_link_is_used_up_by_its_button_only(lulu: Lulu) -> None:
    path = f"/pair/{lulu.tokens['pair']}"

    previews = [lulu.ask(path).status_code for _ in range(3)]
    foreign = lulu.ask(path, method="POST", Origin="http://evil.example").status_code
    silent = lulu.ask(path, method="POST").status_code
    pressed = lulu.ask(path, method="POST", Origin=lulu.server.url)
    again = lulu.ask(path, method="POST", Origin=lulu.server.url)
    device = pressed.headers["set-cookie"].split(";", 1)[0]

    assert (previews, foreign, silent) == ([200] * 3, 403, 403)
    assert (pressed.status_code, pressed.headers["location"]) == (303, "/")
    assert (again.status_code, again.text, lulu.ask(path).text) == (401, CLOSED_PAGE + "\n", CLOSED_PAGE + "\n")
    assert lulu.ask("/", cookie=device).status_code == 200
    assert lulu.ask(f"/pair/{lulu.tokens['pair_late']}", method="POST", Origin=lulu.server.url).status_code == 401


def test_two_presses_at_once_make_one_device(lulu: Lulu) -> None:
    path = f"/pair/{lulu.tokens['pair_two']}"
    statuses: list[int] = []
    press = [
        threading.Thread(
            target=lambda: statuses.append(lulu.ask(path, method="POST", Origin=lulu.server.url).status_code)
        )
        for _ in range(6)
    ]

    for thread in press:
        thread.start()
    for thread in press:
        thread.join()

    assert sorted(statuses) == [303, *[401] * 5]


# --- Guests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    ["/session", "/control", "/settings", "/media/a.txt", "/_stcore/upload_file/a/b", "/_stcore/metrics", "/audit"],
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


@pytest.mark.parametrize(
    "attempt",
    [
        {"query": f"id={OTHER}"},
        {"query": f"id={SHARED}&id={OTHER}"},
        {"query": f"id={OTHER}&id={SHARED}"},
        {"query": ""},
        {"query": f"id={OTHER}", "page_name": "session"},
        {"query": f"id={OTHER}", "page_name": "preview"},
        {"query": f"id={OTHER}", "page_name": "settings"},
        {"query": f"id={OTHER}", "page_name": "audit"},
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
    assert "Values in force" not in "".join(shown)


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
    ],
)
def test_a_guest_hears_of_the_shared_session_only(lulu: Lulu, topic: str, is_heard: bool) -> None:
    url = lulu.server.url
    address = url.replace("http", "ws", 1) + "/bell"
    with connect(address, origin=Origin(url), additional_headers={"Cookie": lulu.guest()}, proxy=None) as bell:
        bell.send(f'{{"listen": ["{topic}"]}}')
        try:
            heard = str(bell.recv(timeout=10))
        except Exception:
            heard = ""

    assert (topic in heard) is is_heard


# --- Ends --------------------------------------------------------------------------------------------------------


def test_signing_a_device_out_ends_its_sockets_within_two_seconds(lulu: Lulu) -> None:
    token = lulu.login_token()
    cookie = lulu.ask(f"/login?t={token}").headers["set-cookie"].split(";", 1)[0]
    with StreamlitClient(lulu.server.url, cookie) as device:
        device.run(page_name="devices")
        with sqlite3.connect(f"file:{lulu.server.database}?mode=ro", uri=True) as database:
            found = database.execute(
                "SELECT id FROM access WHERE token_hash = ?", [hash_of(cookie.partition("=")[2])]
            ).fetchone()
        device.press(device.widget_id(f"remove_{found[0]}"), "devices")
        took = device.wait_for_end(5)

    assert took <= 2
    assert lulu.ask("/", cookie=cookie).status_code == 401


# --- What lies about ---------------------------------------------------------------------------------------------


def test_files_are_the_owner_s_alone(lulu: Lulu) -> None:
    data = lulu.server.data_dir

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert {"lulu.db", "control.json"} <= set(modes)


def test_no_token_lies_in_the_database_the_log_or_the_process_list(lulu: Lulu) -> None:
    printed = lulu.server.login_link.partition("?t=")[2]
    tokens = {*lulu.tokens.values(), lulu.owner.partition("=")[2], lulu.login_token()}

    stored = b"".join(path.read_bytes() for path in lulu.server.data_dir.glob("lulu.db*"))
    commands = " ".join(" ".join(process.cmdline()) for process in process_tree(lulu.server.pid))
    environments = " ".join(str(process.environ()) for process in process_tree(lulu.server.pid)[1:])

    assert [token for token in tokens if token.encode() in stored or token in lulu.server.log] == []
    assert [token for token in {*tokens, printed} if token in commands or token in environments] == []
    assert printed.encode() not in stored


def test_the_server_s_children_inherit_nothing_of_lulu(lulu: Lulu) -> None:
    children = psutil.Process(lulu.server.pid).children(recursive=True)

    assert [name for child in children for name in child.environ() if name.startswith("LULU_")] == []
