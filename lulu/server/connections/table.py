"""The connections of this server: what those may hold that nobody has judged yet, and what guests may hold together.

The guard judges whole requests. Before that, and without a credential after it, a connection holds a file of this
process; so there are few of them, for a short time, and where a new one needs room the oldest goes. One that the guard
has let in is never closed to make room for a stranger.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from lulu.access.guard import CONNECTION, Admission
from lulu.model.actors import Role
from lulu.server.connections.budget import Budget

log = logging.getLogger(__name__)

#: Seconds for the head of a request, from the connection's begin or the end of its last request.
HEAD_SECONDS = 10.0
#: While LAN access is off: how many connections other computers have together, and for how many seconds. It is enough
#: to be told that.
SHUT_OUT, SHUT_OUT_SECONDS = 16, 2.0
#: How many connections one share link may hold.
OF_ONE_SHARE = 200
#: Frames of one WebSocket of anybody but an owner, at once and each second: a page asks for one run in 10 ms at most,
#: and waits for its end (``lulu/ui/browser/doorbell.py``).
SOCKET_FRAMES = (200, 100)
#: Frames of all WebSockets of one share link, also of those that are closed by now: guests' pages are rung 10 ms apart,
#: whatever their number (``ui/guest_app.py``), and each asks for little more.
SHARE_FRAMES = (2_000, 400)
#: More unjudged connections than this are of no use, however many files there may be.
_MOST_UNJUDGED = 1_000
#: More files than this are never needed; a program that closes every number that it may have (an agent can start one)
#: takes minutes for a limit of a thousand million.
_MOST_FILES = 65_536


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many connections there may be at once."""

    #: Without a credential, together …
    unjudged: int
    #: … and of one address.
    of_one_address: int
    #: Of all guests together; a socket of theirs takes two files here.
    guests: int
    #: Of one share link.
    of_one_share: int

    @classmethod
    def within(cls, files: int) -> Limits:
        """For a process that may open so many files: half of them or a little less stay for owners, agents and rows."""
        unjudged = max(16, min(_MOST_UNJUDGED, files * 3 // 10))
        guests = max(8, files // 5)
        return cls(
            unjudged=unjudged,
            of_one_address=unjudged * 2 // 3,
            guests=guests,
            of_one_share=min(OF_ONE_SHARE, guests),
        )


def raise_file_limit() -> int:
    """Let this process, and those that it starts, open as many files as the system allows it; how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most if soft == resource.RLIM_INFINITY else soft
    # macOS says that there is no limit, and takes 10,240 at most.
    for wanted in (most, 10_240):
        if soft < wanted <= most:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                return wanted
    return soft


class Connections:
    """The table of all connections of one server. Used in its loop; each call takes the same time, however many."""

    def __init__(
        self, limits: Limits, is_shut_out: Callable[[str], bool], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        #: Whether a connection from this address can get nothing but a refusal now.
        self._is_shut_out = is_shut_out
        self._now = now
        self._unjudged = _Waiting(limits.unjudged, HEAD_SECONDS)
        self._shut_out = _Waiting(SHUT_OUT, SHUT_OUT_SECONDS)
        self._by_address: dict[str, _Waiting] = {}
        #: Let in, and between two requests.
        self._resting = _Waiting(sys.maxsize, HEAD_SECONDS)
        #: Of guests, by the row that lets them in.
        self._by_share: dict[int, dict[Connection, None]] = {}
        self._guests = 0
        #: What each share may say; as many as its owner has made links, since the server's start.
        self._said: dict[int, Budget] = {}

    def open(self, address: str, close: Callable[[], object]) -> Connection:
        """A new one. ``close`` is called when it has to make room for another."""
        connection = Connection(self, address, close)
        self.wait(connection)
        return connection

    def wait(self, connection: Connection) -> None:
        """It has nothing to do, or nobody has judged it: it may do so for a while only."""
        now = self._now()
        if connection.role is not Role.NOBODY:
            self._resting.add(connection, now)
            return
        self.release(connection)
        if self._is_shut_out(connection.address):
            self._shut_out.make_room()
            self._shut_out.add(connection, now)
            return
        same = self._by_address.setdefault(connection.address, _Waiting(self._limits.of_one_address, HEAD_SECONDS))
        same.make_room()
        self._unjudged.make_room()
        self._unjudged.add(connection, now)
        # The room may have been that of the last of its address.
        same = self._by_address.setdefault(connection.address, same)
        same.add(connection, now)

    def leave(self, connection: Connection) -> None:
        """It no longer waits."""
        for waiting in (self._unjudged, self._shut_out, self._resting):
            waiting.discard(connection)
        same = self._by_address.get(connection.address)
        if same is not None:
            same.discard(connection)
            if not same:
                del self._by_address[connection.address]

    def let_in(self, connection: Connection, admission: Admission) -> bool:
        """Whether there is room for it, which there always is for an owner's."""
        if admission.role is Role.OWNER:
            self.release(connection)
            return True
        if connection.share in admission.access_ids:
            return True
        self.release(connection)
        for share in admission.access_ids:
            if self._has_room(share):
                connection.share = share
                self._by_share.setdefault(share, {})[connection] = None
                self._guests += 1
                return True
        return False

    def release(self, connection: Connection) -> None:
        """It is no guest's any more."""
        if connection.share is None:
            return
        others = self._by_share[connection.share]
        del others[connection]
        if not others:
            del self._by_share[connection.share]
        connection.share = None
        self._guests -= 1

    def may_say(self, connection: Connection) -> bool:
        """Whether one more frame of this connection, and of its share, is to be handled."""
        now = self._now()
        if not connection.said.take(now):
            return False
        if connection.share is None:
            return True
        return self._said.setdefault(connection.share, Budget(*SHARE_FRAMES)).take(now)

    def close_late(self) -> None:
        """Close those that have waited for too long."""
        now = self._now()
        for waiting in (self._unjudged, self._shut_out, self._resting):
            waiting.close_late(now)

    def _has_room(self, share: int) -> bool:
        """Whether this share may have one more; one of its own that has nothing to do makes room for it."""
        of_share = self._by_share.get(share, {})
        if len(of_share) < self._limits.of_one_share and self._guests < self._limits.guests:
            return True
        resting = next((one for one in of_share if one in self._resting), None)
        if resting is not None:
            resting.end()
        return resting is not None


class Connection:
    """One of them, and what the server asks of the table for it."""

    def __init__(self, table: Connections, address: str, close: Callable[[], object]) -> None:
        self._table = table
        self._close = close
        self._requests = 0
        #: Whether it was closed, by us or by the other side.
        self.is_over = False
        #: Where it comes from.
        self.address = address
        #: Whose its last whole request was.
        self.role = Role.NOBODY
        #: The row of the share that it is counted for.
        self.share: int | None = None
        #: The frames of its WebSocket.
        self.said = Budget(*SOCKET_FRAMES)
        #: Called when it is an owner's.
        self.trust: Callable[[], None] = lambda: None

    def around(self, app: ASGIApp) -> ASGIApp:
        """The app, which the guard of it tells whom it has let in."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            scope[CONNECTION] = self
            # The next request of a pipeline may begin before the last is quite over.
            self._requests += 1
            self.role = Role.NOBODY
            try:
                await app(scope, receive, send)
            finally:
                self._requests -= 1
                if not self._requests and not self.is_over:
                    self._table.leave(self)
                    self._table.wait(self)

        return serve

    def let_in(self, admission: Admission) -> bool:
        """The guard's word: a request of somebody with a credential is served on it. Whether there is room for it."""
        if not self.is_over:
            if not self._table.let_in(self, admission):
                return False
            self._table.leave(self)
        self.role = admission.role
        if self.role is Role.OWNER:
            self.trust()
        return True

    def may_say(self) -> bool:
        """Whether one more frame of its WebSocket is to be handled."""
        return self._table.may_say(self)

    def move(self, close: Callable[[], object]) -> None:
        """It goes on as another connection of the server, which is closed in this way."""
        self._close = close

    def end(self) -> None:
        """Close it now, whether or not the other side reads what is still to be sent."""
        self.lost()
        self._close()

    def lost(self) -> None:
        """It is closed."""
        if not self.is_over:
            self.is_over = True
            self._table.leave(self)
            self._table.release(self)


class _Waiting:
    """Connections by the time for which they wait, the oldest first."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._since: dict[Connection, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def __contains__(self, connection: object) -> bool:
        return connection in self._since

    def add(self, connection: Connection, now: float) -> None:
        self._since[connection] = now

    def discard(self, connection: Connection) -> None:
        self._since.pop(connection, None)

    def make_room(self) -> None:
        """Close the oldest where there is no room for one more."""
        if len(self._since) >= self._most:
            next(iter(self._since)).end()

    def close_late(self, now: float) -> None:
        late = [one for one, since in self._since.items() if now - since >= self._seconds]
        for one in late:
            one.end()
