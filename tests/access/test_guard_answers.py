"""The guard: what it answers itself, what every answer carries, and that each of its steps is needed."""

from __future__ import annotations

import base64
import hashlib
import inspect
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Scope
from starlette.websockets import WebSocketDisconnect

from lulu.access import guard, security_headers
from lulu.access.guard import ROLE_HEADER, Admission
from lulu.model.actors import Role
from lulu.ui.browser import page_head
from tests.access.support import OWN, Client, guarded, status_of_socket
from tests.doors import OpenDoor

#: Everybody is a guest.
GUESTS = OpenDoor(admission=Admission(role=Role.GUEST, access_ids=(1,)))

# --- Failures ----------------------------------------------------------------------------------------------------


def test_a_judge_that_fails_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    class BrokenDoor(OpenDoor):
        def judge(self, scope: Scope) -> Admission | None:
            raise RuntimeError("no database")

    with caplog.at_level(logging.CRITICAL, logger="lulu.access.guard"):
        answer = Client(door=BrokenDoor()).get("/echo")
        status = status_of_socket(Client(door=BrokenDoor()), {"Origin": f"http://{OWN}"})

    assert (answer.status_code, status) == (500, 500)
    assert "no database" not in answer.text


def test_a_route_that_fails_says_nothing_of_the_inside() -> None:
    answer = Client().get("/break")

    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_an_answer_that_fails_midway_is_cut() -> None:
    client = TestClient(guarded(), base_url=f"http://{OWN}", client=("127.0.0.1", 1))

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
    assert status_of_socket(Client(), own, "/broken/before") == 500


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
    "another computer": lambda: Client(peer="8.8.8.8").get("/echo"),
    "nobody": lambda: Client(door=OpenDoor(admission=None)).get("/echo"),
    "not for a guest": lambda: Client(door=GUESTS).get("/echo"),
    "only headers": lambda: Client(door=OpenDoor(admission=None)).head("/echo"),
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


def test_the_policy_knows_the_inline_scripts_and_no_other() -> None:
    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", index, re.DOTALL)

    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline]

    expected = [*(f"'sha256-{digest}'" for digest in digests), page_head.SCRIPT_SOURCE]
    assert expected == re.findall(r"'sha256-[^']+'", security_headers.content_security_policy())


# --- Each step is needed -----------------------------------------------------------------------------------------


def test_without_the_host_step_a_rebound_name_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Client(host="evil.example:8501").get("/echo").status_code
    monkeypatch.setattr(guard, "LOCAL_NAMES", guard.LOCAL_NAMES | {"evil.example"})

    assert (refused, Client(host="evil.example:8501").get("/echo").status_code) == (421, 200)


def test_without_the_origin_step_another_page_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {"Origin": "http://localhost:8700"}
    refused = (Client().post("/echo", headers=sent).status_code, status_of_socket(Client(), sent))
    monkeypatch.setattr(guard, "check_origin", lambda scope, authority: None)

    let_in = (Client().post("/echo", headers=sent).status_code, status_of_socket(Client(), sent))

    assert (refused, let_in) == ((403, 403), (200, 101))


def test_without_the_network_step_another_computer_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Client(peer="8.8.8.8").get("/echo").status_code
    monkeypatch.setattr(guard, "check_network", lambda scope, door: None)

    assert (refused, Client(peer="8.8.8.8").get("/echo").status_code) == (403, 200)


def test_without_the_credential_step_a_stranger_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = Client(door=OpenDoor(admission=None))
    refused = stranger.get("/echo").status_code
    monkeypatch.setattr(guard, "admit", lambda scope, door: Admission(role=Role.OWNER))

    assert (refused, stranger.get("/echo").status_code) == (401, 200)


def test_without_the_path_step_a_guest_gets_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Client(door=GUESTS).get("/echo").status_code
    monkeypatch.setattr(guard, "check_path", lambda scope, admission: None)

    assert (refused, Client(door=GUESTS).get("/echo").status_code) == (403, 200)


def test_without_the_room_step_a_share_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def let_in(self, admission: Admission) -> bool:
            return False

    guest = Client(door=GUESTS, connection=Full())
    refused = guest.get("/").status_code
    monkeypatch.setattr(guard, "check_room", lambda scope, admission: None)

    assert (refused, guest.get("/").status_code) == (503, 200)


def test_without_stripping_a_forged_role_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    forged = {ROLE_HEADER: "owner"}
    guest = Client(door=GUESTS)
    before = guest.get("/", headers=forged).text
    monkeypatch.setattr(guard, "_is_ours", lambda name: False)

    after = guest.get("/", headers=forged).text

    assert ("x-lulu-role=owner" in before, "x-lulu-role=owner" in after) == (False, True)


def test_without_the_headers_step_another_page_may_frame_lulu(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Client().get("/echo").headers
    monkeypatch.setattr(guard, "secured", lambda headers, sockets: list(headers))

    after = Client().get("/echo").headers

    assert (before["x-frame-options"], after["x-frame-options"]) == ("DENY", "ALLOW")
    assert ("content-security-policy" in before, "content-security-policy" in after) == (True, False)


def test_each_step_of_the_guard_has_a_test_without_it() -> None:
    here = Path(__file__)
    shown = here.read_text() + (here.parent / "test_guard_doors.py").read_text()
    called = inspect.getsource(guard.Guard.__call__)

    steps = set(re.findall(r"= (\w+)\(scope|^ +(\w+)\(scope", called, re.MULTILINE))

    # The host's step is a list of names, and stripping one of what is ours.
    without = {"authority_of": "LOCAL_NAMES", "admitted": "_is_ours"}
    names = {first or second for first, second in steps} | {"admitted", "secured", "_until_ended"}
    assert {"authority_of", "check_network", "check_origin", "admit", "check_path", "check_room"} <= names
    assert [name for name in names - {"_Answer"} if f'"{without.get(name, name)}"' not in shown] == []
