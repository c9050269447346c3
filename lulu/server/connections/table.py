"""The table of this server's connections, with limits for strangers and for guests.

The guard judges whole requests. Before that, and after a refusal, a connection holds a file of this process. So there
may be few of them, for a short time; a new one replaces the oldest. A connection with a credential is never closed to
make room for one without.
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

#: Seconds for the head of a request, from the start of the connection or the end of its last request.
HEAD_SECONDS = 10.0
#: While LAN access is off: the most connections of other computers together, and the seconds for each. That is enough
#: for the refusal.
SHUT_OUT, SHUT_OUT_SECONDS = 16, 2.0
#: The most connections of one share link.
OF_ONE_SHARE = 200
#: Frames of one WebSocket, except an owner's: burst and number per second. A page asks for one run in 10 ms at most,
#: and waits for its end (``lulu/ui/browser/assets/hub.js``).
SOCKET_FRAMES = (200, 100)
#: Frames of all WebSockets of one share link, closed ones included. Guests' pages are notified 10 ms apart, for any
#: number of pages (``ui/guest_app.py``), and each asks for little more.
SHARE_FRAMES = (2_000, 400)
#: The most unjudged connections, for any limit of files.
_MOST_UNJUDGED = 1_000
#: The most files that are ever needed. A program that closes every possible file number (an agent can start one) takes
#: minutes for a limit of a billion.
_MOST_FILES = 65_536


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most connections at the same time."""

    #: Without a credential, together …
    unjudged: int
    #: … and of one address.
    of_one_address: int
    #: Of all guests together. A guest's socket uses two files here.
    guests: int
    #: Of one share link.
    of_one_share: int

    @classmethod
    def within(cls, files: int) -> Limits:
        """Return the limits for a process with so many files. About half remain for owners, agents and rows."""
        unjudged = max(16, min(_MOST_UNJUDGED, files * 3 // 10))
        guests = max(8, files // 5)
        return cls(
            unjudged=unjudged,
            of_one_address=unjudged * 2 // 3,
            guests=guests,
            of_one_share=min(OF_ONE_SHARE, guests),
        )


def raise_file_limit() -> int:
    """Raise the limit of open files, also for child processes. Return the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most if soft == resource.RLIM_INFINITY else soft
    # macOS reports no limit, but accepts 10,240 at most.
    for wanted in (most, 10_240):
        if soft < wanted <= most:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                return wanted
    return soft


class Connections:
    """The table of one server. Used in its loop; each call takes constant time."""

    def __init__(
        self, limits: Limits, is_shut_out: Callable[[str], bool], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        #: Whether a connection from this address can only be refused now.
        self._is_shut_out = is_shut_out
        self._now = now
        self._unjudged = _Waiting(limits.unjudged, HEAD_SECONDS)
        self._shut_out = _Waiting(SHUT_OUT, SHUT_OUT_SECONDS)
        self._by_address: dict[str, _Waiting] = {}
        #: Authenticated, and between two requests.
        self._resting = _Waiting(sys.maxsize, HEAD_SECONDS)
        #: Connections of guests, by the row of their share link.
        self._by_share: dict[int, dict[Connection, None]] = {}
        self._guests = 0
        #: The frame budget of each share link. There are as many as links used since the server's start.
        self._said: dict[int, Budget] = {}

    def open(self, address: str, close: Callable[[], object]) -> Connection:
        """Add a new connection. ``close`` is called if it has to make room for another."""
        connection = Connection(self, address, close)
        self.wait(connection)
        return connection

    def wait(self, connection: Connection) -> None:
        """Start the time limit of a connection that is idle or not authenticated."""
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
        # The closed one may have been the last of its address.
        same = self._by_address.setdefault(connection.address, same)
        same.add(connection, now)

    def leave(self, connection: Connection) -> None:
        """End the time limit of a connection."""
        for waiting in (self._unjudged, self._shut_out, self._resting):
            waiting.discard(connection)
        same = self._by_address.get(connection.address)
        if same is not None:
            same.discard(connection)
            if not same:
                del self._by_address[connection.address]

    def let_in(self, connection: Connection, admission: Admission) -> bool:
        """Return whether there is room for the connection. There always is for an owner's."""
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
        """Stop counting the connection as a guest's."""
        if connection.share is None:
            return
        others = self._by_share[connection.share]
        del others[connection]
        if not others:
            del self._by_share[connection.share]
        connection.share = None
        self._guests -= 1

    def may_say(self, connection: Connection) -> bool:
        """Whether one more frame is within the budgets of the connection and of its share link."""
        now = self._now()
        if not connection.said.take(now):
            return False
        if connection.share is None:
            return True
        return self._said.setdefault(connection.share, Budget(*SHARE_FRAMES)).take(now)

    def close_late(self) -> None:
        """Close the connections that are over their time limit."""
        now = self._now()
        for waiting in (self._unjudged, self._shut_out, self._resting):
            waiting.close_late(now)

    def _has_room(self, share: int) -> bool:
        """Whether a share link may have one more connection. An idle one of its own is closed for it."""
        of_share = self._by_share.get(share, {})
        if len(of_share) < self._limits.of_one_share and self._guests < self._limits.guests:
            return True
        resting = next((one for one in of_share if one in self._resting), None)
        if resting is not None:
            resting.end()
        return resting is not None


class Connection:
    """One connection in the table."""

    def __init__(self, table: Connections, address: str, close: Callable[[], object]) -> None:
        self._table = table
        self._close = close
        self._requests = 0
        #: Whether it was closed, by either side.
        self.is_over = False
        #: The IP address of the other side.
        self.address = address
        #: The role of its last complete request.
        self.role = Role.NOBODY
        #: The row of the share link that it counts for.
        self.share: int | None = None
        #: The frame budget of its WebSocket.
        self.said = Budget(*SOCKET_FRAMES)
        #: Called when it becomes an owner's.
        self.trust: Callable[[], None] = lambda: None

    def around(self, app: ASGIApp) -> ASGIApp:
        """Wrap the app, so that its guard can record the authentication on this connection."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            scope[CONNECTION] = self
            # The next request of a pipeline may begin before the last one has ended.
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
        """Record an authenticated request. Return whether there is room for the connection."""
        if not self.is_over:
            if not self._table.let_in(self, admission):
                return False
            self._table.leave(self)
        self.role = admission.role
        if self.role is Role.OWNER:
            self.trust()
        return True

    def may_say(self) -> bool:
        """Whether one more frame of its WebSocket is within the budgets."""
        return self._table.may_say(self)

    def move(self, close: Callable[[], object]) -> None:
        """Replace the function that closes it, because the connection has a new protocol."""
        self._close = close

    def end(self) -> None:
        """Close it now, without waiting for unsent data."""
        self.lost()
        self._close()

    def lost(self) -> None:
        """Remove it from the table, because it is closed."""
        if not self.is_over:
            self.is_over = True
            self._table.leave(self)
            self._table.release(self)


class _Waiting:
    """Connections with a common time limit, oldest first."""

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
        """Close the oldest connection if there is no room for one more."""
        if len(self._since) >= self._most:
            next(iter(self._since)).end()

    def close_late(self, now: float) -> None:
        late = [one for one, since in self._since.items() if now - since >= self._seconds]
        for one in late:
            one.end()
