"""A client of Streamlit's own protocol: sends what no browser would, and reads what the page drew."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol


@dataclass
class StreamlitClient:
    """One connection to ``/_stcore/stream``."""

    url: str
    cookie: str
    #: A Streamlit session to resume, as its client would.
    resume: str | None = None
    #: Every text and identifier that the server sent, unparsed.
    received: list[bytes] = field(default_factory=list)
    session_id: str = ""

    def __enter__(self) -> Self:
        protocols = ["streamlit", "x", *([self.resume] if self.resume else [])]
        self._stack = ExitStack()
        self._socket: ClientConnection = self._stack.enter_context(
            connect(
                self.url.replace("http", "ws", 1) + "/_stcore/stream",
                origin=Origin(self.url),
                subprotocols=[Subprotocol(one) for one in protocols],
                additional_headers={"Cookie": self.cookie},
                proxy=None,
                open_timeout=60,
                max_size=None,
            )
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def run(
        self, query: str = "", *, page_hash: str = "", page_name: str = "", widgets: dict[str, str] | None = None
    ) -> str:
        """Ask for a run of the page, and wait for its end; everything that it sent, as one text."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.page_name = query, page_hash, page_name
        for name, value in (widgets or {}).items():
            widget = state.widget_states.widgets.add()
            widget.id, widget.string_value = name, value
        self._socket.send(message.SerializeToString())
        return self.read()

    def press(self, widget_id: str, page_name: str) -> None:
        """Press a button."""
        message = BackMsg()
        message.rerun_script.page_name = page_name
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id, widget.trigger_value = widget_id, True
        self._socket.send(message.SerializeToString())

    def page_hashes(self) -> set[str]:
        """What tells the pages apart that this viewer was told of."""
        hashes: set[str] = set()
        for raw in self.received:
            message = ForwardMsg()
            message.ParseFromString(raw)
            hashes |= {page.page_script_hash for page in message.navigation.app_pages}
        return hashes

    def widget_id(self, key: str) -> str:
        """The id of a widget that was drawn."""
        text = b"\n".join(self.received).decode("utf-8", "replace")
        end = text.index(f"-{key}") + len(key) + 1
        return text[text.rindex("$$", 0, end) : end]

    def read(self, *, patience: float = 60) -> str:
        """What came until the script ended."""
        begin = len(self.received)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            raw = self._socket.recv(timeout=patience)
            assert isinstance(raw, bytes)
            self.received.append(raw)
            message = ForwardMsg()
            message.ParseFromString(raw)
            if message.WhichOneof("type") == "new_session":
                self.session_id = message.new_session.initialize.session_id or self.session_id
            if message.WhichOneof("type") == "script_finished":
                break
        return b"\n".join(self.received[begin:]).decode("utf-8", "replace")

    def wait_for_end(self, *, patience: float = 60) -> None:
        """Until the server ends the connection."""
        end = time.monotonic() + patience
        with suppress(ConnectionClosed):
            while time.monotonic() < end:
                self._socket.recv(timeout=patience)
        assert self._socket.close_code is not None, f"Still open after {patience:g} s"
