"""A viewer without a browser: keeps Streamlit's WebSocket and the doorbell, and answers rings as the page would."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

#: How the browser's half names the triggers of a component: ``lulu.ui.browser.doorbell`` has one, called "ring".
_TRIGGERS = "$$STREAMLIT_INTERNAL_KEY_{id}__events"
_LARGEST = 64 * 2**20
#: A run that has not ended after this long (seconds) is not waited for.
_RUN_WITHIN = 30.0
#: A server that does not answer the end of a socket is not waited for longer than this (seconds).
_CLOSE_WITHIN = 2.0
#: A ring that is not answered after this long (seconds) is asked for again; pause after a run (seconds). Both as in
#: ``lulu.ui.browser.doorbell``.
_ANSWER_WITHIN, _STEADY = 3.0, 0.05
#: Runs of the whole script that are asked for before a viewer gives up.
_TRIES = 5
#: Pause before the same news is asked for again (seconds), as in ``lulu.ui.browser.doorbell``.
_SAME_AGAIN = 1.0


@dataclass
class _Bell:
    """One bell of the page, as last drawn."""

    fragment_id: str
    widget_id: str
    topic: str
    seen: int


@dataclass
class ProtocolViewer:
    """One window on ``path``, for example ``/session?id=…``. Use ``async with``."""

    url: str
    path: str
    #: The owner's or a guest's, as ``name=value``.
    cookie: str
    #: Words to look out for in what the page draws.
    wanted: str = ""
    #: Set once they were drawn.
    found: asyncio.Event = field(default_factory=asyncio.Event)
    #: Milliseconds that each run of the whole script took, on the wire.
    runs: list[float] = field(default_factory=list)
    #: Bytes that came.
    received: int = 0
    _bells: dict[str, _Bell] = field(default_factory=dict)
    _rung: dict[str, int] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _heard: list[str] = field(default_factory=list)
    #: The bells that this run has drawn, and the fragments that it draws in.
    _drawn: set[str] = field(default_factory=set)
    _redrawn: set[str] = field(default_factory=set)
    _page_hash: str = ""
    _began: float = 0.0
    _page: ClientConnection | None = None
    _bell: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        base = self.url.replace("http", "ws", 1)
        self._page = await connect(
            f"{base}/_stcore/stream",
            origin=self.url,  # type: ignore[arg-type]  # a NewType of str
            additional_headers={"Cookie": self.cookie},
            subprotocols=["streamlit", "no-token"],  # type: ignore[list-item]  # likewise
            max_size=_LARGEST,
            compression=None,
            close_timeout=_CLOSE_WITHIN,
        )
        self._tasks.append(asyncio.create_task(self._hear_page(self._page)))
        await self.run()
        self._bell = await connect(
            f"{base}/bell",
            origin=self.url,  # type: ignore[arg-type]  # likewise
            additional_headers={"Cookie": self.cookie},
            compression=None,
            close_timeout=_CLOSE_WITHIN,
        )
        self._tasks.append(asyncio.create_task(self._hear_bell(self._bell)))
        self._tasks.append(asyncio.create_task(self._answer_rings()))
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(socket.close() for socket in (self._bell, self._page) if socket is not None))

    async def wait_closed(self) -> None:
        """Wait until the server has ended both sockets."""
        await asyncio.gather(*(socket.wait_closed() for socket in (self._bell, self._page) if socket is not None))

    async def run(self) -> None:
        """Run the whole script, as a reload does, until it has drawn something to listen to."""
        await self._rerun("", None)
        for _ in range(_TRIES):
            if self._bells:
                return
            await asyncio.sleep(_SAME_AGAIN)
            await self._rerun("", None)
        raise RuntimeError("The page has drawn no bell.")

    async def _rerun(self, fragment_id: str, bell: _Bell | None, within: float = _RUN_WITHIN) -> None:
        message = BackMsg()
        state = message.rerun_script
        parts = urlsplit(self.path)
        state.query_string = parts.query
        state.page_script_hash = self._page_hash
        state.page_name = "" if self._page_hash else parts.path.strip("/")
        state.fragment_id = fragment_id
        state.context_info.url = self.url + self.path
        if bell is not None:
            widget = state.widget_states.widgets.add()
            widget.id = _TRIGGERS.format(id=bell.widget_id)
            widget.json_trigger_value = json.dumps([{"event": "ring", "value": self._rung.get(bell.topic, 0)}])
        self._ended.clear()
        assert self._page is not None
        await self._page.send(message.SerializeToString())
        # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._ended.wait()

    async def _hear_page(self, socket: ClientConnection) -> None:
        async for data in socket:
            self.received += len(data)
            drawn = data if isinstance(data, bytes) else data.encode()
            if self.wanted and self.wanted.encode() in drawn:
                self.found.set()
            message = ForwardMsg.FromString(drawn)
            match message.WhichOneof("type"):
                case "new_session":
                    self._drawn, self._redrawn = set(), set()
                    self._page_hash = message.new_session.page_script_hash
                    self._began = time.perf_counter()
                case "navigation":
                    # The page that is drawn; a new session names the start page until this comes.
                    self._page_hash = message.navigation.page_script_hash
                case "delta":
                    self._redrawn.add(message.delta.fragment_id)
                    if message.delta.new_element.HasField("bidi_component"):
                        self._note_bell(message)
                case "script_finished":
                    if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                        self.runs.append((time.perf_counter() - self._began) * 1000)
                    if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                        self._forget()
                    self._ended.set()
                    await self._listen()

    def _note_bell(self, message: ForwardMsg) -> None:
        component = message.delta.new_element.bidi_component
        data = json.loads(component.mixed.json or component.json or "{}")
        if "topic" in data:
            self._drawn.add(component.id)
            # Words that come over the socket (``lulu.ui.browser.live_text``) are heard, and nothing is asked for.
            seen = data.get("seen", sys.maxsize)
            self._bells[component.id] = _Bell(message.delta.fragment_id, component.id, data["topic"], seen)

    def _forget(self) -> None:
        """What a run could have drawn again and has not is gone; one of the whole page draws outside fragments too."""
        for key, bell in list(self._bells.items()):
            if key not in self._drawn and ("" in self._redrawn or bell.fragment_id in self._redrawn):
                del self._bells[key]

    async def _listen(self) -> None:
        """Listen to what the page shows now."""
        topics = sorted({bell.topic for bell in self._bells.values()})
        if self._bell is not None and topics != self._heard:
            self._heard = topics
            await self._bell.send(json.dumps({"listen": topics}))

    async def _hear_bell(self, socket: ClientConnection) -> None:
        async for data in socket:
            self._rung.update(json.loads(data).get("ring", {}))
            self._news.set()

    async def _answer_rings(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            for bell in list(self._bells.values()):
                number = self._rung.get(bell.topic, 0)
                if number > bell.seen:
                    # As the page does: Streamlit's server throws away what comes as a run ends.
                    await asyncio.sleep(_STEADY)
                    await self._rerun(bell.fragment_id, bell, within=_ANSWER_WITHIN)
                    self._news.set()
                    drawn = self._bells.get(bell.widget_id)
                    if drawn is not None and drawn.seen < number:
                        # As the page does: no second request for the same news before a second has passed.
                        await asyncio.sleep(_SAME_AGAIN)
