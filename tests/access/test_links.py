"""One-time links and cookies on the whole server: what uses a link up, what does not, and who is never locked out."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from lulu.access.tokens import hash_of, new_token
from lulu.model.actors import LULU
from lulu.store import AccessKind, Store
from tests.access.server import SHARED, SHARED_TEXT, Lulu
from tests.streamlit_client import StreamlitClient

pytestmark = pytest.mark.e2e


def test_a_look_at_a_link_uses_nothing_up(lulu: Lulu) -> None:
    token = lulu.login_token()

    looked = lulu.ask(f"/login?t={token}", method="HEAD")

    assert (looked.status_code, "set-cookie" in looked.headers) == (401, False)
    assert lulu.ask(f"/login?t={token}").status_code == 303


def test_a_link_that_an_owner_opens_is_used_up(lulu: Lulu) -> None:
    token = lulu.login_token()

    opened = lulu.ask(f"/login?t={token}", cookie=lulu.owner)

    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    assert lulu.ask(f"/login?t={token}").status_code == 401
    assert lulu.ask("/", cookie=lulu.owner).status_code == 200


def test_an_owner_who_opens_another_s_way_in_ends_nothing_else(lulu: Lulu) -> None:
    for token in (lulu.tokens["share"], lulu.tokens["pair_two"], lulu.owner.partition("=")[2], new_token(), ""):
        assert lulu.ask(f"/login?t={token}", cookie=lulu.owner).status_code == 303

    assert lulu.ask("/", cookie=lulu.owner).status_code == 200
    assert lulu.ask(f"/pair/{lulu.tokens['pair_two']}").status_code == 200
    assert lulu.ask(f"/s/{lulu.tokens['share']}").status_code == 303


@pytest.mark.parametrize("count", [20, 200, 300])
@pytest.mark.parametrize("between", ["; lulu_owner=", "."])
def test_invented_cookies_lock_no_owner_out(lulu: Lulu, count: int, between: str) -> None:
    invented = between.join(new_token() for _ in range(count))

    assert lulu.ask("/", cookie=f"lulu_owner={invented}; {lulu.owner}").status_code == 200
    assert lulu.ask("/", cookie=f"lulu_owner={invented}").status_code == 401


def test_a_link_of_an_earlier_start_counts_no_more(tmp_path: Path) -> None:
    store, tokens = Store.open(tmp_path / "lulu.db"), [new_token() for _ in range(3)]
    for token, kind in zip(tokens, (AccessKind.LOGIN, AccessKind.LOGIN, AccessKind.PAIR), strict=True):
        store.access.make_link(LULU, kind, hash_of(token), minutes=10)
    used = store.access.redeem(hash_of(tokens[0]), AccessKind.LOGIN, hash_of("a browser"), "")

    store.access.open_command_line(LULU, hash_of("the next start"))

    assert store.access.redeem(hash_of(tokens[1]), AccessKind.LOGIN, hash_of("another"), "") is None
    assert store.access.redeem(hash_of(tokens[2]), AccessKind.PAIR, hash_of("a device"), "") is not None
    assert used is not None
    assert store.access.by_hash(hash_of("a browser")) is not None
    store.close()


def socket_of(lulu: Lulu, protocols: str) -> ClientConnection:
    sent = {"Cookie": lulu.guest(), "Sec-WebSocket-Protocol": protocols}
    address = lulu.server.url.replace("http", "ws", 1) + "/_stcore/stream"
    return connect(
        address, origin=Origin(lulu.server.url), additional_headers=sent, proxy=None, open_timeout=60, legacy=True
    )


@pytest.mark.parametrize(
    "protocols", ["streamlit,,x", ",", "streamlit,", "stream lit", "streamlit, x;y", '"streamlit"']
)
def test_a_guest_s_odd_protocols_are_refused_and_make_no_traceback(lulu: Lulu, protocols: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        socket_of(lulu, protocols)

    assert refused.value.response.status_code < 500
    assert "Traceback" not in lulu.server.log


def test_a_guest_s_words_on_the_page_s_socket_end_it_and_make_no_traceback(lulu: Lulu) -> None:
    with StreamlitClient(lulu.server.url, lulu.guest()) as other:
        with StreamlitClient(lulu.server.url, lulu.guest()) as client:
            client._socket.send("words")
            client.wait_for_end()

        assert SHARED_TEXT in other.run(f"id={SHARED}")
    assert "Traceback" not in lulu.server.log
