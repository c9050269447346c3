"""The doorbell: a WebSocket on which a page hears that something it shows has changed. Carries numbers, never rows.

A page sends ``{"listen": ["sessions", "session:<id>", …]}`` whenever its topics change, and hears
``{"ring": {"sessions": 17, …}}``: the last number of every topic at once, then each new one. Messages are
``{kind: {topic: value}}``, so that another kind can travel on the same socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Collection

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from lulu.access import guard
from lulu.access.door import door
from lulu.actors import Role
from lulu.errors import InputError, SessionNotFound
from lulu.sessions import parse_session_id
from lulu.store.bus import ACCESS, APPROVALS, HEALTH, RULES, SESSIONS, VISITORS, Bus

PATH = "/bell"
#: A page listens to few things: its lists, one session, the rows of the cards on it.
MAX_TOPICS = 64
#: Longer messages end the connection.
MAX_MESSAGE = 8_192
#: Seconds between two messages to one page: one busy session must not wake twenty pages for every commit.
_GAP = 0.02
#: WebSocket close codes: the server goes away, the message is not understood or not allowed.
_GOING_AWAY, _REFUSED = 1001, 1008

_PLAIN_TOPICS = frozenset({SESSIONS, APPROVALS, RULES, HEALTH, ACCESS, VISITORS})
_TOPICS_OF_A_SESSION = frozenset({"session", "row", "log"})


def parse_topics(message: str) -> list[str]:
    """The topics a page asks for. Raises ``InputError`` or ``SessionNotFound`` for anything that is not a topic."""
    if len(message) > MAX_MESSAGE:
        raise InputError("This message is too long.")
    try:
        listen = json.loads(message)["listen"]
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise InputError("This message is not understood.") from exc
    if not isinstance(listen, list) or len(listen) > MAX_TOPICS:
        raise InputError(f"A page names a list of at most {MAX_TOPICS} topics.")
    return [_parse_topic(topic) for topic in listen]


def _parse_topic(text: object) -> str:
    if isinstance(text, str):
        if text in _PLAIN_TOPICS:
            return text
        kind, _, session_id = text.partition(":")
        if kind in _TOPICS_OF_A_SESSION:
            return f"{kind}:{parse_session_id(session_id)}"
    raise InputError("There is no such topic.")


def may_listen(admission: guard.Admission | None, topics: Collection[str]) -> bool:
    """Whether this visitor may hear of these topics: an owner of all, a guest of the session that was shared."""
    if admission is None:
        return False
    if admission.role is Role.OWNER:
        return True
    kinds = {kind for kind, _, _ in (topic.partition(":") for topic in topics)}
    shown = {session_id for _, _, session_id in (topic.partition(":") for topic in topics)}
    return kinds <= _TOPICS_OF_A_SESSION and all(door.actor(admission, one).may_watch(one) for one in shown)


class Doorbell:
    """Hands the rings of the bus from the writer's thread to the loop's sockets."""

    def __init__(self, bus: Callable[[], Bus]) -> None:
        self._find_bus = bus
        self._lock = threading.Lock()
        self._rung: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._bells: set[_Bell] = set()
        self.route = WebSocketRoute(PATH, self._serve)

    @property
    def open(self) -> int:
        """How many pages listen now."""
        return len(self._bells)

    def close_all(self) -> None:
        """End every bell. May be called from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._end_all)

    async def _serve(self, websocket: WebSocket) -> None:
        await websocket.accept()
        bus = self._find_bus()
        bell = _Bell(websocket, bus)
        self._enter(bell, bus)
        try:
            await bell.serve()
        finally:
            self._leave(bell)

    def _enter(self, bell: _Bell, bus: Bus) -> None:
        self._bells.add(bell)
        if self._unsubscribe is None:
            self._loop = asyncio.get_running_loop()
            self._rung = {}
            self._unsubscribe = bus.subscribe(self._hear)

    def _leave(self, bell: _Bell) -> None:
        self._bells.discard(bell)
        if not self._bells and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _hear(self, topic: str, number: int) -> None:
        """Called in the writer's thread: note the number, and wake the loop unless that is already under way."""
        with self._lock:
            waking = bool(self._rung)
            self._rung[topic] = number
        loop = self._loop
        if not waking and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            rung, self._rung = self._rung, {}
        for bell in self._bells:
            bell.ring(rung)

    def _end_all(self) -> None:
        for bell in self._bells:
            bell.end()


class _Bell:
    """One page's socket. What it has not been told yet is one number a topic, however slow it reads."""

    def __init__(self, websocket: WebSocket, bus: Bus) -> None:
        self._websocket = websocket
        self._bus = bus
        self._topics: frozenset[str] = frozenset()
        self._untold: dict[str, int] = {}
        self._news = asyncio.Event()
        self._ended = asyncio.Event()

    def ring(self, numbers: dict[str, int]) -> None:
        """Tell the page about those topics that it listens to."""
        mine = {topic: number for topic, number in numbers.items() if topic in self._topics}
        if mine:
            self._untold.update(mine)
            self._news.set()

    def end(self) -> None:
        """Close the socket soon, whether or not the page reads it."""
        self._ended.set()

    async def serve(self) -> None:
        """Until the page leaves, misbehaves or is ended, whichever comes first.

        A handler that only waited for news would keep the server from stopping.
        """
        tasks = [asyncio.create_task(part) for part in (self._listen(), self._tell(), self._ended.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            if (error := task.exception()) is not None:
                raise error
        await self._close(_GOING_AWAY if self._ended.is_set() else _REFUSED)

    async def _listen(self) -> None:
        """Returns when the page leaves or says something that is not for this socket."""
        admission = guard.admission_of(self._websocket.headers)
        with contextlib.suppress(InputError, SessionNotFound):
            while (message := await self._websocket.receive())["type"] == "websocket.receive":
                topics = parse_topics(message.get("text") or "")
                if not may_listen(admission, topics):
                    return
                self._topics = frozenset(topics)
                # After the topics are set: a ring between the two is told twice, never lost.
                self._untold = {topic: self._bus.version(topic) for topic in topics}
                self._news.set()

    async def _tell(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await self._news.wait()
                self._news.clear()
                untold, self._untold = self._untold, {}
                await self._websocket.send_text(json.dumps({"ring": untold}))
                await asyncio.sleep(_GAP)

    async def _close(self, code: int) -> None:
        if self._websocket.client_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._websocket.close(code)
