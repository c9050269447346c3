"""Filter a page's socket: answer only requests of the shown page, and send no private data.

A fragment's request names its page. Streamlit's server also answers it after the next page has begun. Its client takes
that answer as a change of page, and the window becomes empty. So requests of a page that was left are dropped here.
"""

from __future__ import annotations

import contextlib

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import NewSession

PATH = "/_stcore/stream"
#: WebSocket close codes: data of a wrong kind, data that cannot be read, data that is not allowed.
_UNSUPPORTED, _UNREADABLE, _REFUSED = 1003, 1007, 1008


def refusal_of(message: Message) -> int | None:
    """Return the close code for a message that no page sends, or ``None`` for any other message."""
    request = message.get("bytes")
    if request is None:
        return _UNSUPPORTED
    try:
        kind = BackMsg.FromString(request).WhichOneof("type")
    except DecodeError:
        return _UNREADABLE
    # An empty one has no effect; the others are for Streamlit's own tests.
    return _REFUSED if kind is None or kind.startswith("debug_") else None


class PageSocket:
    """ASGI middleware around Streamlit's app. A message that no page sends ends its socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not scope["path"].endswith(PATH):
            await self._app(scope, receive, send)
            return
        shown, is_closed = ShownPage(), False

        async def asked() -> Message:
            nonlocal is_closed
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                if (code := refusal_of(message)) is not None:
                    is_closed = True
                    with contextlib.suppress(OSError):
                        await send({"type": "websocket.close", "code": code})
                    return {"type": "websocket.disconnect", "code": code}
                if shown.is_asked_by(message["bytes"]):
                    return message

        async def told(message: Message) -> None:
            if is_closed:
                return
            answer = message.get("bytes")
            if message["type"] == "websocket.send" and answer is not None:
                message = {**message, "bytes": shown.told(answer)}
            await send(message)

        await self._app(scope, asked, told)


class ShownPage:
    """Tracks the page that a browser shows or has just requested, from Streamlit's messages.

    A page is identified by its ``page_script_hash``. "" is the page of an address until its run begins. ``None`` is the
    unknown page of a browser that has reconnected.
    """

    def __init__(self) -> None:
        self._page: str | None = None
        self._run_of = ""
        self._is_awaited = False

    def is_asked_by(self, request: bytes) -> bool:
        """Whether to answer a serialized ``BackMsg``: yes, unless it is a fragment's of a page that was left."""
        message = BackMsg.FromString(request)
        if message.WhichOneof("type") != "rerun_script":
            return True
        page = message.rerun_script.page_script_hash
        if message.rerun_script.fragment_id:
            return self._page is None or page in {self._page, ""}
        self._page, self._is_awaited = page, True
        return True

    def told(self, answer: bytes) -> bytes:
        """Return a serialized ``ForwardMsg`` for the browser, without data about the machine."""
        try:
            message = ForwardMsg.FromString(answer)
        except DecodeError:
            return answer
        kind = message.WhichOneof("type")
        is_whole = not message.metadata.run.fragment_ids
        if kind == "navigation":
            self._runs(message.navigation.page_script_hash)
        elif kind == "script_finished" and is_whole and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._page, self._is_awaited = self._run_of, False
        elif kind == "new_session":
            if is_whole:
                self._runs(message.new_session.page_script_hash)
            _without_the_machine(message.new_session)
            return message.SerializeToString()
        return answer

    def _runs(self, page: str) -> None:
        """Note the page of a run, unless it began before another page was requested."""
        self._run_of = page
        if not self._is_awaited or self._page in {page, ""}:
            self._page, self._is_awaited = page, False


def _without_the_machine(session: NewSession) -> None:
    """Remove Streamlit's data about the machine: a path, versions and ids. Pages work without them."""
    session.ClearField("main_script_path")
    user, environment = session.initialize.user_info, session.initialize.environment_info
    user.Clear()
    for name in ("python_version", "server_os", "has_display"):
        environment.ClearField(name)
    # The client reads both fields, even if they are empty.
    user.SetInParent()
    environment.SetInParent()
