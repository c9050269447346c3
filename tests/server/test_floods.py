"""More WebSocket frames than a page sends: who may send them, and what becomes of the socket of anybody else."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from lulu.access.guard import CONNECTION, Admission
from lulu.model.actors import Role
from lulu.server.connections import protocols
from lulu.server.connections.protocols import MOST_PARTS, WebSocket
from lulu.server.connections.table import SHARE_FRAMES, SOCKET_FRAMES, Connections, Limits
from tests.doors import OWNER

GUEST = Admission(role=Role.GUEST, access_ids=(7,))
OF_SOCKET, OF_SHARE = SOCKET_FRAMES[0], SHARE_FRAMES[0]
HEAD = (
    b"GET /bell HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, masked: bool = True) -> bytes:
    """As a browser writes it."""
    length = struct.pack("!B", len(data)) if len(data) < 126 else struct.pack("!BH", 126, len(data))
    mask = bytes([length[0] | 0x80]) + length[1:] + bytes(4) if masked else length
    return bytes([(0x80 if fin else 0) | opcode]) + mask + data


def packed(data: bytes) -> bytes:
    """A compressed message."""
    zipped = PerMessageDeflate(False, False, 12, 12).encode(Frame(Opcode.BINARY, data))
    return bytes([0xC2]) + frame(2, bytes(zipped.data))[1:]


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.how_closed: list[str] = []
        self.unsent = 0
        self.is_read = True

    def write(self, data: Any) -> None:
        if not self.how_closed:
            self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        self.how_closed.append("close")

    def abort(self) -> None:
        self.how_closed.append("abort")

    def is_closing(self) -> bool:
        return bool(self.how_closed)

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Peer:
    """One WebSocket as the server has it."""

    def __init__(self, table: Connections, admission: Admission | None, *, is_deaf: bool = False) -> None:
        self.heard: list[str | bytes] = []
        self.turns = 0
        self._admission = admission
        self._is_deaf = is_deaf
        self.judged = asyncio.Event()
        if admission is not None:
            self.judged.set()
        config = uvicorn.Config(self._app, interface="asgi3", ws="websockets-sansio", log_level="warning")
        config.load()
        self.transport = Transport()
        self.socket = WebSocket(
            table.open("127.0.0.1", self.transport.abort), config=config, server_state=ServerState(), app_state={}
        )
        self.socket.connection_made(self.transport)
        self.socket.data_received(HEAD)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await self.judged.wait()
        if self._admission is None:
            await send({"type": "websocket.close", "code": 1008})
            return
        assert scope[CONNECTION].let_in(self._admission)
        await send({"type": "websocket.accept"})
        if self._is_deaf:
            await asyncio.Event().wait()
        while (message := await receive())["type"] == "websocket.receive":
            self.heard.append(message["text"] if message.get("bytes") is None else message["bytes"])

    async def say(self, data: bytes) -> None:
        """Say it, and wait until it is read or the socket is closed; not much is read in one turn of the loop."""
        for at in range(0, len(data), 262_144):
            if self.transport.is_closing():
                return
            self.socket.data_received(data[at : at + 262_144])
            await self.settle()

    async def settle(self) -> None:
        for _ in range(1_000):
            await asyncio.sleep(0)
            self.turns += 1
            if self.transport.is_closing() or (self.transport.is_read and self.socket.queue.empty()):
                break
        await asyncio.sleep(0)

    @property
    def code(self) -> int | None:
        """The code that it was closed with."""
        at = self.transport.written.rfind(b"\x88")
        return struct.unpack("!H", self.transport.written[at + 2 : at + 4])[0] if at >= 0 else None

    def leave(self) -> None:
        """The connection is gone."""
        self.transport.close()
        self.socket.connection_lost(None)


class Clock:
    """The table's."""

    now = 0.0


def play(scenario: Callable[[Connections, Clock], Awaitable[None]]) -> None:
    clock = Clock()
    table = Connections(Limits.within(65_536), lambda address: False, lambda: clock.now)

    async def begin() -> None:
        await scenario(table, clock)

    asyncio.run(begin())


async def opened(table: Connections, admission: Admission | None = GUEST, **how: bool) -> Peer:
    peer = Peer(table, admission, **how)
    await peer.settle()
    return peer


MANY = 50_000
#: What begins a flood, what it goes on with, and the code that ends it.
FLOODS = {
    "empty messages": (b"", frame(2), 1008),
    "empty words": (b"", frame(1), 1008),
    "messages": (b"", frame(2, b"abcd"), 1008),
    "words": (b"", frame(1, b"abcd"), 1008),
    "large messages": (b"", frame(2, b"x" * 3_000), 1008),
    "packed messages": (b"", packed(bytes(60_000)), 1008),
    "empty fragments": (frame(2, fin=False), frame(0, fin=False), 1008),
    "empty fragments of words": (frame(1, fin=False), frame(0, fin=False), 1008),
    "fragments of one byte": (frame(2, b"a", fin=False), frame(0, b"a", fin=False), 1008),
    "short messages in two fragments": (b"", frame(2, fin=False) + frame(0), 1008),
    "pings": (b"", frame(9), 1008),
    "pings that say something": (b"", frame(9, b"x" * 125), 1008),
    "pongs": (b"", frame(10), 1008),
    "pings within a message": (frame(2, fin=False), frame(9), 1008),
    "closes": (b"", frame(8), None),
    "a continuation of nothing": (b"", frame(0), 1002),
    "an opcode that there is not": (b"", frame(3), 1002),
    "a control frame that there is not": (b"", frame(11), 1002),
    "no mask": (b"", frame(2, b"abcd", masked=False), 1002),
    "a ping in fragments": (b"", frame(9, fin=False), 1002),
    "a reserved bit": (b"", bytes([0x92]) + frame(2)[1:], 1002),
    "no UTF-8": (b"", frame(1, b"\xff\xff"), 1007),
}


@pytest.mark.parametrize(("first", "then", "code"), FLOODS.values(), ids=FLOODS)
def test_a_flood_of_frames_ends_a_guest_s_socket(first: bytes, then: bytes, code: int | None) -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        guest = await opened(table)
        handled: list[int] = []
        handle = guest.socket.handle_events

        def handle_events() -> None:
            handled.append(len(guest.socket.conn.events))
            handle()

        guest.socket.handle_events = handle_events  # type: ignore[method-assign]
        await guest.say(first + then * MANY)

        assert guest.transport.is_closing()
        assert sum(handled) <= OF_SOCKET
        # So many are handled in one turn of the loop, and no more.
        assert max(handled, default=0) <= protocols._PIECE // len(frame(2)) + 1
        if code is not None:
            assert guest.code == code
        # What comes after the end is not even kept.
        guest.socket.data_received(then * MANY)
        assert not guest.socket._unread

    play(scenario)


@pytest.mark.parametrize("name", ["empty messages", "words", "empty fragments", "pings", "pongs", "packed messages"])
def test_an_owner_s_frames_are_not_counted(name: str) -> None:
    first, then, _ = FLOODS[name]
    count = 3_000

    async def scenario(table: Connections, clock: Clock) -> None:
        owner = await opened(table, OWNER)
        await owner.say(first + then * count + (frame(0, b"end") if first else frame(2, b"end")))

        assert not owner.transport.is_closing()
        assert owner.heard[-1] == b"end"

    play(scenario)


def test_a_message_of_a_few_fragments_is_whole_and_one_of_many_ends_the_socket() -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        guest = await opened(table)
        for _ in range(3):
            parts = [frame(2, b"a", fin=False), *[frame(0, b"a", fin=False)] * (MOST_PARTS - 2), frame(0, b"a")]
            await guest.say(b"".join(parts))
        assert guest.heard == [b"a" * MOST_PARTS] * 3
        await guest.say(frame(2, b"a", fin=False) + frame(0, b"a", fin=False) * MOST_PARTS)

        assert guest.code == 1008

    play(scenario)


def test_what_a_page_sends_is_heard_for_ever() -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        guest = await opened(table)
        each_second = SOCKET_FRAMES[1]
        for number in range(30 * each_second):
            clock.now += 1 / each_second
            await guest.say(frame(2, b"%d" % number))
        # And what it has saved up.
        clock.now += 60
        await guest.say(frame(2, b"x") * OF_SOCKET)

        assert not guest.transport.is_closing()
        assert len(guest.heard) == 30 * each_second + OF_SOCKET

    play(scenario)


def test_a_guest_who_comes_back_gets_no_new_budget_and_others_keep_theirs() -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        heard = 0
        for _ in range(100):
            peer = await opened(table)
            await peer.say(frame(2, b"abcd") * MANY)
            assert peer.code == 1008
            heard += len(peer.heard)
            peer.leave()
        other, owner = await opened(table, Admission(role=Role.GUEST, access_ids=(8,))), await opened(table, OWNER)
        for one in (other, owner):
            await one.say(frame(2, b"hello"))
            assert one.heard == [b"hello"]
        clock.now += 1
        back = await opened(table)
        await back.say(frame(2, b"hello"))

        assert heard <= OF_SHARE
        assert back.heard == [b"hello"]

    play(scenario)


def test_the_sockets_of_one_link_share_its_budget() -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        peers = [await opened(table) for _ in range(200)]
        for peer in peers:
            await peer.say(frame(9) * (OF_SOCKET // 2))

        assert sum(not peer.transport.is_closing() for peer in peers) == OF_SHARE // (OF_SOCKET // 2)

    play(scenario)


def test_a_large_message_is_read_in_many_turns() -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        guest = await opened(table)
        guest.turns = 0
        await guest.say(frame(2, b"x" * 60_000) + frame(2, b"y"))

        assert guest.turns >= 60_000 // protocols._PIECE
        assert guest.heard == [b"x" * 60_000, b"y"]

    play(scenario)


def test_what_the_app_has_not_taken_is_not_read_on() -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        guest = await opened(table, is_deaf=True)
        guest.socket.data_received(packed(bytes(60_000)) * 150)
        for _ in range(500):
            await asyncio.sleep(0)

        assert not guest.transport.is_read
        waiting = guest.socket.queue.qsize()
        assert 0 < waiting <= protocols._PIECE // len(packed(bytes(60_000))) + 1

    play(scenario)


@pytest.mark.parametrize("said", [frame(2, b"early"), frame(9), frame(0), b"\0" * 100_000], ids=range(4))
@pytest.mark.parametrize("admission", [GUEST, None], ids=["guest", "stranger"])
def test_whoever_speaks_before_the_answer_to_the_upgrade_is_cut_off(admission: Admission | None, said: bytes) -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        peer = Peer(table, admission)
        peer.judged.clear()
        await asyncio.sleep(0)
        peer.socket.data_received(said)

        assert peer.transport.how_closed == ["abort"]
        assert not peer.socket._unread
        peer.judged.set()
        peer.leave()

    play(scenario)


def test_after_a_refusal_nothing_is_read() -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        peer = Peer(table, None)
        peer.judged.set()
        await peer.settle()
        peer.socket.data_received(frame(2) * MANY)

        assert peer.transport.written.startswith(b"HTTP/1.1 403")
        assert peer.heard == []
        assert not peer.socket._unread

    play(scenario)


#: What waits for the other side at each look, and whether it is cut off after that.
LOOKS = {
    "nothing waits": ([0] * 9, True, False),
    "it reads slowly": ([900, 800, 700, 600, 500, 400], False, False),
    "it reads after a while": ([900, 900, 100, 900, 900, 100], False, False),
    "it reads nothing": ([900, 900, 900], False, True),
    "more is written, and it reads nothing": ([900, 906, 912], False, True),
    "not yet": ([900, 900], False, False),
    "the last words stay": ([4, 4, 4], None, True),
    "few words wait": ([4, 4, 4, 4], True, False),
}


@pytest.mark.parametrize("admission", [GUEST, OWNER], ids=["guest", "owner"])
@pytest.mark.parametrize(("looks", "may_write", "is_cut"), LOOKS.values(), ids=LOOKS)
def test_who_takes_nothing_is_cut_off(
    looks: list[int], may_write: bool | None, is_cut: bool, admission: Admission
) -> None:
    async def scenario(table: Connections, clock: Clock) -> None:
        peer = await opened(table, admission)
        if may_write is None:
            peer.transport.close()
        elif not may_write:
            peer.socket.pause_writing()
        for unsent in looks:
            peer.transport.unsent = unsent
            peer.socket._look()

        assert ("abort" in peer.transport.how_closed) is (is_cut and admission is GUEST)

    play(scenario)
