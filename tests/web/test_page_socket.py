"""A page's socket: what was asked for on a page that was left is not answered, and no browser learns of the machine."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from lulu.web.page_socket import PATH, PageSocket, ShownPage


def asks(page: str, *, fragment: str = "", name: str = "") -> bytes:
    message = BackMsg()
    wanted = message.rerun_script
    wanted.page_script_hash, wanted.fragment_id, wanted.page_name = page, fragment, name
    return message.SerializeToString()


def begins(page: str, *, fragment: str = "") -> bytes:
    message = ForwardMsg()
    message.new_session.page_script_hash = page
    if fragment:
        message.metadata.run.fragment_ids.append(fragment)
    return message.SerializeToString()


def leads_to(page: str) -> bytes:
    message = ForwardMsg()
    message.navigation.page_script_hash = page
    return message.SerializeToString()


def ends() -> bytes:
    message = ForwardMsg()
    message.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    return message.SerializeToString()


#: What happens in order (``>`` a browser asks, ``<`` the server tells), and which fragments are answered after it.
ORDERS = {
    "the page shown": ([">a", "<a"], {"a"}),
    "another page is asked for": ([">a", "<a", "<end", ">b"], {"b"}),
    "it has begun": ([">a", "<a", "<end", ">b", "<b"], {"b"}),
    "it has ended": ([">a", "<a", "<end", ">b", "<b", "<end"], {"b"}),
    "a run of the old page begins after it was left": ([">a", "<a", "<end", ">b", "<a"], {"b"}),
    "a fragment's run of the old page begins then": ([">a", "<a", "<end", ">b", "<a fragment"], {"b"}),
    "the server leads elsewhere": ([">", "<main", "<to a", "<end"], {"a"}),
    "the server leads elsewhere than was asked": ([">gone", "<main", "<to main", "<end"], {"main"}),
    "back to an address, not yet there": ([">a", "<a", "<end", ">"], set()),
    "back to an address": ([">a", "<a", "<end", ">", "<main", "<to b"], {"b"}),
    "a socket that found its way back": ([], {"a", "b", "c", "main"}),
    "two clicks, quickly": ([">a", "<a", "<end", ">b", ">c", "<b", "<c"], {"c"}),
}


def play(order: list[str]) -> ShownPage:
    shown = ShownPage()
    for step in order:
        if step.startswith(">"):
            assert shown.is_asked_by(asks(step[1:]))
        elif step == "<end":
            shown.told(ends())
        elif step.startswith("<to "):
            shown.told(leads_to(step[4:]))
        else:
            page, _, fragment = step[1:].partition(" ")
            shown.told(begins(page, fragment=fragment))
    return shown


@pytest.mark.parametrize(("order", "answered"), ORDERS.values(), ids=ORDERS.keys())
def test_only_the_fragments_of_the_page_shown_are_answered(order: list[str], answered: set[str]) -> None:
    pages = ["a", "b", "c", "main"]

    assert {page for page in pages if play(order).is_asked_by(asks(page, fragment="f"))} == answered


def test_what_is_no_fragment_s_request_or_cannot_be_read_goes_on() -> None:
    shown = play([">a", "<a"])
    stop = BackMsg()
    stop.stop_script = True

    assert shown.is_asked_by(stop.SerializeToString())
    assert shown.is_asked_by(b"\xff\xff")
    assert shown.told(b"\xff\xff") == b"\xff\xff"


def test_a_browser_learns_nothing_of_the_machine() -> None:
    message = ForwardMsg()
    session = message.new_session
    session.main_script_path = "/home/anna/lulu/lulu/ui/main.py"
    session.initialize.user_info.installation_id_v3 = "abc"
    session.initialize.session_id = "this-one"
    told = session.initialize.environment_info
    told.streamlit_version, told.python_version, told.server_os = "1.67.0", "3.11.2", "Linux"

    raw = ShownPage().told(message.SerializeToString())

    assert not [word for word in (b"/home/anna", b"abc", b"3.11.2", b"Linux") if word in raw]
    assert b"this-one" in raw
    # The client reloads itself where this has changed.
    assert b"1.67.0" in raw


def test_a_left_page_s_request_never_reaches_the_app() -> None:
    incoming = [asks("a"), asks("a", fragment="f"), asks("b"), asks("a", fragment="f"), asks("b", fragment="g"), None]
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            seen.append(message)
        seen.append(message)

    async def receive() -> Message:
        await asyncio.sleep(0)
        return {"type": "websocket.receive", "bytes": incoming.pop(0)}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    asyncio.run(PageSocket(app)({"type": "websocket", "path": PATH}, receive, send))

    asked = [BackMsg.FromString(message["bytes"]).rerun_script for message in seen[:-1]]
    assert [(one.page_script_hash, one.fragment_id) for one in asked] == [("a", ""), ("a", "f"), ("b", ""), ("b", "g")]
    # Words, which no page sends.
    assert seen[-1] == {"type": "websocket.disconnect", "code": 1003}
