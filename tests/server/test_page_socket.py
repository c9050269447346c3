"""A page's socket: what was asked for on a page that was left is not answered, and no browser learns of the machine."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from lulu.server.page_socket import PATH, PageSocket, ShownPage


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


def test_what_is_no_fragment_s_request_goes_on() -> None:
    shown = play([">a", "<a"])
    stop = BackMsg()
    stop.stop_script = True

    assert shown.is_asked_by(stop.SerializeToString())
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


def play_socket(incoming: list[Message]) -> tuple[list[Message], list[Message]]:
    """What reaches the app of what a browser says, and what the browser hears."""
    seen: list[Message] = []
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            seen.append(await receive())
            if seen[-1]["type"] != "websocket.receive":
                break
        # A run that ends now has something to say still.
        await send({"type": "websocket.send", "bytes": ends()})

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        heard.append(message)

    asyncio.run(PageSocket(app)({"type": "websocket", "path": PATH}, receive, send))
    return seen, heard


def test_a_left_page_s_request_never_reaches_the_app() -> None:
    incoming = [asks("a"), asks("a", fragment="f"), asks("b"), asks("a", fragment="f"), asks("b", fragment="g")]
    said: list[Message] = [{"type": "websocket.receive", "bytes": one} for one in incoming]
    seen, _ = play_socket([*said, {"type": "websocket.disconnect", "code": 1001}])

    asked = [BackMsg.FromString(message["bytes"]).rerun_script for message in seen[:-1]]
    assert [(one.page_script_hash, one.fragment_id) for one in asked] == [("a", ""), ("a", "f"), ("b", ""), ("b", "g")]
    assert seen[-1] == {"type": "websocket.disconnect", "code": 1001}


#: Messages that no page sends, and the code that they get.
ODD: dict[str, tuple[dict[str, object], int]] = {
    "words": ({"text": "words"}, 1003),
    "no words": ({"text": ""}, 1003),
    "neither": ({}, 1003),
    "words beside nothing": ({"text": "words", "bytes": None}, 1003),
    "nothing": ({"bytes": b""}, 1008),
    "zeros": ({"bytes": bytes(8)}, 1007),
    "no message": ({"bytes": b"\xff\xff"}, 1007),
    "half a message": ({"bytes": asks("a" * 40)[:-3]}, 1007),
    "a field that there is not": ({"bytes": b"\xf8\x7f\x01"}, 1008),
    "a number that is no type": ({"bytes": b"\x08\x01"}, 1008),
    "a test's message": ({"bytes": BackMsg(debug_disconnect_websocket=True).SerializeToString()}, 1008),
    "a test's other message": ({"bytes": BackMsg(debug_shutdown_runtime=True).SerializeToString()}, 1008),
}


@pytest.mark.parametrize(("odd", "code"), ODD.values(), ids=ODD)
def test_what_no_page_sends_ends_the_socket_and_never_reaches_the_app(odd: dict[str, object], code: int) -> None:
    seen, heard = play_socket([{"type": "websocket.receive", **odd}])

    assert seen == [{"type": "websocket.disconnect", "code": code}]
    assert heard == [{"type": "websocket.close", "code": code}]
