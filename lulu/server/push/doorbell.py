"""The doorbell: a WebSocket that tells a page about changed topics, and carries live text.

A page sends ``{"listen": ["sessions", "session:<id>", …]}`` whenever its topics change. It receives ``{"ring":
{"sessions": 17, …}}``: first the version of every topic, then each new one. For a topic of live text, ``text:<id>`` or
``shared:<id>``, it receives ``{"text": {"text:<id>": {"number": 18, …}}}`` (see ``live_text.told``).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from lulu.access import guard
from lulu.access.authentication import door
from lulu.errors import InputError, LuluError, SessionNotFound
from lulu.model.actors import Role
from lulu.model.sessions import parse_session_id
from lulu.server.push.bus_bridge import Rings
from lulu.server.push.live_text import OWN, SHARED
from lulu.store.bus import ACCESS, APPROVALS, HEALTH, RULES, SESSIONS, VISITORS, Bus, text_topic

log = logging.getLogger(__name__)

PATH = "/bell"
#: The most topics of a page: its lists, one session, the rows of its cards.
MAX_TOPICS = 64
#: The most characters of a message. A longer one ends the connection.
MAX_MESSAGE = 8_192
#: Seconds between two messages to one page, so that one busy session does not wake twenty pages for every commit.
_GAP = 0.02
#: Seconds between notifications of two pages. Because of the GIL, runs that begin together delay each other and the
#: next commit; in sequence they end no later. A run takes about 10 ms.
APART = 0.01
#: WebSocket close codes: the server goes away; the message is unreadable or not allowed.
_GOING_AWAY, _REFUSED = 1001, 1008

_PLAIN_TOPICS = frozenset({SESSIONS, APPROVALS, RULES, HEALTH, ACCESS, VISITORS})
_NUMBERED = frozenset({"session", "row", "log"})
_WORDS = frozenset({OWN, SHARED})

#: Returns a session's live text: ``live_text.told`` for a kind of topic and a session id.
Words = Callable[[str, str], dict[str, Any]]


def parse_topics(message: str) -> list[str]:
    """Return the topics in a page's message. Raises ``InputError`` or ``SessionNotFound``."""
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
        if kind in _NUMBERED | _WORDS:
            return f"{kind}:{parse_session_id(session_id)}"
    raise InputError("There is no such topic.")


def may_listen(admission: guard.Admission | None, topics: Collection[str]) -> bool:
    """Whether this visitor may listen to these topics: an owner to all, a guest to the shared session.

    Text as stored is for owners. Guests receive it redacted.
    """
    if admission is None:
        return False
    if admission.role is Role.OWNER:
        return True
    kinds = {kind for kind, _, _ in (topic.partition(":") for topic in topics)}
    shown = {session_id for _, _, session_id in (topic.partition(":") for topic in topics)}
    return kinds <= _NUMBERED | {SHARED} and all(door.actor(admission, one).may_watch(one) for one in shown)


class Doorbell:
    """Notifies the pages that listen of changes of the bus."""

    def __init__(self, bus: Callable[[], Bus], words: Words, turns: Turns | None = None) -> None:
        self._find_bus = bus
        self._words = words
        #: For each topic of live text: what was last read, for all pages that listen.
        self._said: dict[str, _Said] = {}
        self._turns = turns or Turns(APART)
        self._rings: Rings | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bells: set[_Bell] = set()
        self.route = WebSocketRoute(PATH, self._serve)

    @property
    def open(self) -> int:
        """The number of pages that listen now."""
        return len(self._bells)

    def close_all(self) -> None:
        """Close every socket. May be called from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._end_all)

    async def _serve(self, websocket: WebSocket) -> None:
        await websocket.accept()
        bus = self._find_bus()
        bell = _Bell(websocket, bus, self._say, self._turns)
        self._enter(bell, bus)
        try:
            await bell.serve()
        finally:
            self._leave(bell)

    def _enter(self, bell: _Bell, bus: Bus) -> None:
        self._bells.add(bell)
        if self._rings is None:
            self._loop = asyncio.get_running_loop()
            self._rings = Rings(bus, self._deliver)

    def _leave(self, bell: _Bell) -> None:
        self._bells.discard(bell)
        self._forget()
        if not self._bells and self._rings is not None:
            self._rings.close()
            self._rings = None

    async def _say(self, topic: str) -> str | None:
        """Return the message for a live-text topic, or ``None`` if it cannot be read. Read once for all pages."""
        number = self._find_bus().version(_rung_by(topic))
        said = self._said.get(topic)
        if said is None:
            self._forget()
        if said is None or said.number < number:
            said = self._said[topic] = _Said(number, asyncio.create_task(asyncio.to_thread(self._read, topic, number)))
        message = await asyncio.shield(said.message)
        if message is None and self._said.get(topic) is said:
            del self._said[topic]  # It may be readable the next time.
        return message

    def _forget(self) -> None:
        """Drop the cached messages of topics without listeners."""
        self._said = {topic: said for topic, said in self._said.items() if any(one.hears(topic) for one in self._bells)}

    def _read(self, topic: str, number: int) -> str | None:
        kind, _, session_id = topic.partition(":")
        try:
            return json.dumps({"text": {topic: {"number": number, **self._words(kind, session_id)}}})
        except LuluError:
            # The page's own run reports what is wrong with the file.
            return None
        except Exception:
            # An error in one session's text must not end the socket, which serves other topics, too.
            log.exception("the words of a session could not be read")
            return None

    def _deliver(self, rung: dict[str, int]) -> None:
        self._turns.members = len(self._bells)
        for bell in self._bells:
            bell.ring(rung)

    def _end_all(self) -> None:
        for bell in self._bells:
            bell.end()


def _is_of_words(topic: str) -> bool:
    return topic.partition(":")[0] in _WORDS


def _rung_by(topic: str) -> str:
    """Return the bus topic behind this topic."""
    return text_topic(topic.partition(":")[2]) if _is_of_words(topic) else topic


@dataclass(frozen=True)
class _Said:
    """Cached message of a live-text topic at one bus version."""

    number: int
    message: asyncio.Task[str | None]


class Turns:
    """Rate limiter: spaces callers ``apart`` seconds, but delays none by more than ``within``.

    With too many callers the spacing shrinks to ``least``. After that they share the last slot.
    """

    def __init__(self, apart: float, *, least: float = 0.0, within: float = math.inf) -> None:
        self._apart = apart
        self._least = least
        self._within = within
        self._free = 0.0
        #: The number of callers that may come at the same time.
        self.members = 1

    def take(self, now: float) -> float:
        """Return the time of the slot for a caller at ``now`` (seconds of one clock)."""
        turn = min(max(now, self._free), now + self._within)
        self._free = turn + max(self._least, min(self._apart, self._within / max(1, self.members)))
        return turn


class _Bell:
    """One page's socket. Unsent news is at most one version per topic, even if the page reads slowly."""

    def __init__(
        self, websocket: WebSocket, bus: Bus, say: Callable[[str], Awaitable[str | None]], turns: Turns
    ) -> None:
        self._websocket = websocket
        self._bus = bus
        self._say = say
        self._turns = turns
        #: The time of the page's next notification, or ``None`` if it knows all versions.
        self._turn: float | None = None
        self._topics: frozenset[str] = frozenset()
        self._untold: dict[str, int] = {}
        self._news = asyncio.Event()
        self._ended = asyncio.Event()

    def ring(self, numbers: dict[str, int]) -> None:
        """Note the new versions of those topics that the page listens to."""
        mine = {topic: numbers[rung] for topic in self._topics if (rung := _rung_by(topic)) in numbers}
        if mine:
            self._untold.update(mine)
            self._news.set()

    def hears(self, topic: str) -> bool:
        """Whether the page listens to this topic."""
        return topic in self._topics

    def end(self) -> None:
        """Close the socket soon, even if the page does not read."""
        self._ended.set()

    async def serve(self) -> None:
        """Serve until the page leaves, sends something invalid, or ``end`` is called.

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
        """Return when the page leaves or sends something that this socket does not accept."""
        admission = guard.admission_of(self._websocket.headers)
        with contextlib.suppress(InputError, SessionNotFound):
            while (message := await self._websocket.receive())["type"] == "websocket.receive":
                topics = parse_topics(message.get("text") or "")
                if not may_listen(admission, topics):
                    return
                self._topics = frozenset(topics)
                # After the topics are set: a change in between is then sent twice, and never lost.
                self._untold = {topic: self._bus.version(_rung_by(topic)) for topic in topics}
                self._news.set()

    async def _tell(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await self._news_or_turn()
                # Live text first and without a pause: a notification makes the page and the server busy.
                for topic in [topic for topic in self._untold if _is_of_words(topic)]:
                    self._untold.pop(topic, None)
                    if (message := await self._say(topic)) is not None:
                        await self._websocket.send_text(message)
                await self._ring_in_turn()
                await asyncio.sleep(_GAP)

    async def _news_or_turn(self) -> None:
        wait = None if self._turn is None else self._turn - time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._news.wait()
        self._news.clear()

    async def _ring_in_turn(self) -> None:
        """Send the current versions when it is this page's turn."""
        numbers = {topic: number for topic, number in self._untold.items() if not _is_of_words(topic)}
        now = time.monotonic()
        if not numbers:
            # A later turn is kept: a page that changes its topics gets no more turns than others.
            if self._turn is not None and self._turn <= now:
                self._turn = None
            return
        if self._turn is None:
            self._turn = self._turns.take(now)
        if now < self._turn:
            return
        self._turn = None
        for topic in numbers:
            del self._untold[topic]
        await self._websocket.send_text(json.dumps({"ring": numbers}))

    async def _close(self, code: int) -> None:
        if self._websocket.client_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._websocket.close(code)
