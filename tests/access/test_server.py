"""The whole server, asked as a stranger would: every route, every link, and what lies about."""

from __future__ import annotations

import socket
import stat
import threading

import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from lulu.access.refusals import CLOSED_PAGE
from lulu.access.tokens import new_token
from tests.access.server import METHODS, PAGES, SHARED, Lulu
from tests.support import process_tree

pytestmark = pytest.mark.e2e

PATHS = [
    *("/", f"/session?id={SHARED}", *PAGES, "/control"),
    *("/bell", "/index.html", "/static/js/x.js", "/favicon.png", "/manifest.json", "/robots.txt", "/.env", "/%00"),
    *("/_stcore/health", "/_stcore/host-config", "/_stcore/stream", "/_stcore/metrics", "/_stcore/script-health-check"),
    *("/_stcore/allowed-message-origins", "/_stcore/agent/openapi.json", "/_stcore/upload_file/a/b", "/media/a.txt"),
    *("/component/x/index.html", "/_stcore/bidi-components/x/y.js", "/oauth2callback", "/auth/login", "/made/up"),
]


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
            open_timeout=60,
        )

    assert refused.value.response.status_code == {"no cookie": 401, "wrong host": 421}.get(kind, 403)


def test_the_health_check_tells_no_data(lulu: Lulu) -> None:
    answer = lulu.ask("/healthz")

    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "version", "store", "agents"}


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
