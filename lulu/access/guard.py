"""The guard: one pure ASGI middleware in front of every route and every WebSocket, deny by default.

It owns the order in which a request is judged and the headers of every answer. It knows no page, no route and no row:
who may come in is asked of a ``Door``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lulu.access import refusals
from lulu.access.addresses import Authority, header_values, parse_authority, parse_origin
from lulu.access.refusals import Refusal
from lulu.access.security_headers import secured
from lulu.model.actors import Role

_LOGGER = logging.getLogger(__name__)

#: What the guard tells the page, in request headers that it strips from every request before it adds its own.
ROLE_HEADER = "X-Lulu-Role"
ACCESS_HEADER = "X-Lulu-Access"
PROOF_HEADER = "X-Lulu-Proof"
_OURS = b"x-lulu-"

#: Made anew by every process (or by the one that has the guard) and never sent to a browser: without it, a page that
#: was started without the guard, or a header that somebody forged, gives no role.
_PROOF = secrets.token_hex(32)

#: The names that a browser on this machine uses for it. ``lulu.localhost`` shares no cookies with other local servers.
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "lulu.localhost"})
#: What is answered without a credential: each of these looks at a token itself, or tells only that Lulu is there.
OPEN_PATHS = ("/login", "/healthz")
OPEN_FOLDERS = ("/pair/", "/s/")
#: All that a guest's page needs; nothing that uploads, downloads or tells of other sessions.
GUEST_PATHS = frozenset(
    {"/", "/bell", "/favicon.png", "/index.html", "/manifest.json", "/healthz", "/login"}
    | {f"/_stcore/{name}" for name in ("stream", "health", "host-config", "allowed-message-origins")}
)
GUEST_FOLDERS = ("/static/", "/_stcore/bidi-components/", "/component/", *OPEN_FOLDERS)
#: Where the server put the connection that a request came on.
CONNECTION = "lulu.connection"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: A socket is judged again at least this often (seconds), and whenever anything about access changes.
_LOOK_AGAIN = 60.0
#: A socket that is ended gets this long (seconds) to take the news.
_CLOSE_WITHIN = 1.0


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Who the guard let in."""

    #: ``Role.NOBODY`` only on the open paths.
    role: Role
    #: The rows in ``access`` that let them in: one of an owner, up to twenty of a guest.
    access_ids: tuple[int, ...] = ()
    #: When the first of them expires.
    expires_at: datetime | None = None
    #: A cookie that the browser should keep for longer, as the value of ``Set-Cookie`` without ``Secure``.
    renewal: str | None = None

    def is_same(self, other: Admission | None) -> bool:
        """Whether both let the same people see the same things."""
        return other is not None and (self.role, self.access_ids) == (other.role, other.access_ids)


class Door(Protocol):
    """Who may come in, and from where."""

    @property
    def is_open_to_lan(self) -> bool:
        """Whether other computers are answered at all."""

    @property
    def public(self) -> Authority | None:
        """The address at which a proxy serves Lulu."""

    def own_names(self) -> frozenset[str]:
        """This computer's addresses, as a Host header writes them."""

    def is_here(self, scope: Scope) -> bool:
        """Whether the asker is this computer."""

    def judge(self, scope: Scope) -> Admission | None:
        """Who asks. Nothing means nobody: the guard answers 401."""

    async def changed(self) -> None:
        """Returns when anything about access has changed."""

    def watching(self, scope: Scope, admission: Admission) -> contextlib.AbstractContextManager[None]:
        """Around a socket that is open."""


class Connection(Protocol):
    """What a request came on."""

    def let_in(self, admission: Admission) -> bool:
        """It serves somebody with a credential. Whether there is room for them."""


class Guard:
    """Judges a request once: host, network, origin, credential. Then hands it on with the role, or answers itself."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            authority = answer.authority = authority_of(scope, self._door)
            check_network(scope, self._door)
            check_origin(scope, authority)
            admission = answer.admission = admit(scope, self._door)
            check_path(scope, admission)
            check_room(scope, admission)
            if scope["type"] == "websocket":
                await self._serve_socket(admitted(scope, admission, authority), receive, answer, admission)
            else:
                await self._app(admitted(scope, admission, authority), receive, answer.send)
        except Refusal as refusal:
            await answer.refuse(refusal)
        except Exception:
            # Whatever went wrong, the request is not let through and its answer carries the same headers.
            _LOGGER.exception("A request failed")
            await answer.refuse(Refusal(500, "Something went wrong in Lulu. Nothing was changed; the log says more."))

    async def _serve_socket(self, scope: Scope, receive: Receive, answer: _Answer, admission: Admission) -> None:
        """Serve it for as long as its credential counts. The client has no say in when that ends."""
        with self._door.watching(scope, admission):
            serving = asyncio.ensure_future(self._app(scope, receive, answer.send))
            watching = asyncio.ensure_future(self._until_ended(scope, admission))
            try:
                await asyncio.wait([serving, watching], return_when=asyncio.FIRST_COMPLETED)
                if not serving.done():
                    await answer.cut()
            finally:
                watching.cancel()
                if not serving.done():
                    serving.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    async def _until_ended(self, scope: Scope, admission: Admission) -> None:
        """Returns when this admission no longer holds: revoked, expired, or the network closed to it."""
        current: Admission | None = admission
        while admission.is_same(current):
            left = _LOOK_AGAIN
            if current is not None and current.expires_at is not None:
                left = min(left, max(0.0, (current.expires_at - datetime.now(UTC)).total_seconds()) + 0.01)
            # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the change.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._door.changed()
            current = self._judge_again(scope)

    def _judge_again(self, scope: Scope) -> Admission | None:
        try:
            authority_of(scope, self._door)
            check_network(scope, self._door)
            return self._door.judge(scope)
        except Exception:
            return None


def believe(proof: str) -> None:
    """Take what comes with this proof for the guard's word: for a process behind one that has the guard."""
    global _PROOF
    _PROOF = proof


def admission_of(headers: Mapping[str, str]) -> Admission | None:
    """What the guard wrote into a request's headers, or nothing if no guard did that this process believes.

    Takes ``st.context.headers`` or Starlette's headers: a mapping that ignores case.
    """
    if not hmac.compare_digest(headers.get(PROOF_HEADER, "").encode(), _PROOF.encode()):
        return None
    access_ids = headers.get(ACCESS_HEADER, "")
    return Admission(
        role=Role(headers[ROLE_HEADER]), access_ids=tuple(int(one) for one in access_ids.split(",") if one)
    )


def authority_of(scope: Scope, door: Door) -> Authority:
    """The name under which Lulu was asked for. Raises ``Refusal`` unless it is a name of this machine, with our port.

    A page of another site whose name was made to point at 127.0.0.1 (DNS rebinding) still sends its own name.
    """
    hosts = header_values(scope, b"host")
    if len(hosts) != 1:
        raise Refusal(400, "A request names exactly one host.")
    scheme = str(scope["scheme"]).replace("ws", "http")
    authority = parse_authority(scheme, hosts[0])
    port = _own_port(scope)
    if authority is not None and authority.name in LOCAL_NAMES and authority.port == port:
        return authority
    if door.is_open_to_lan:
        if authority is not None and authority.name in door.own_names() and authority.port == port:
            return authority
        public = door.public
        # The proxy ends TLS: what arrives here may be plain.
        if public is not None and parse_authority(public.scheme, hosts[0]) == public:
            return public
    raise Refusal(
        421,
        "Lulu does not answer under this name.\n\n"
        f"On the computer where it runs, open {scheme}://127.0.0.1:{port} instead.\n"
        f"From another computer, forward the port: ssh -L {port}:127.0.0.1:{port} that-computer\n"
        "Behind a proxy, set LULU_PUBLIC_URL and switch LAN access on.",
    )


def check_network(scope: Scope, door: Door) -> None:
    """Raise ``Refusal`` for another computer while LAN access is off."""
    if not door.is_open_to_lan and not door.is_here(scope):
        raise Refusal(403, "Lulu answers on its own computer only.")


def check_origin(scope: Scope, authority: Authority) -> None:
    """Raise ``Refusal`` when the page that asks is not one of ours.

    A WebSocket needs an Origin that is exactly ours. So does a method that can change something, unless the browser
    itself says that the request comes from our page (``Sec-Fetch-Site``).
    """
    origins = header_values(scope, b"origin")
    if scope["type"] == "websocket":
        if len(origins) != 1 or parse_origin(origins[0]) != authority:
            raise Refusal(403, "Only Lulu's own page may connect.")
        return
    if scope["method"] in _SAFE_METHODS:
        return
    sites = header_values(scope, b"sec-fetch-site")
    if sites and sites != ["same-origin"]:
        raise Refusal(403, "Only Lulu's own page may send this.")
    # A page with Referrer-Policy: no-referrer posts its own forms with "Origin: null".
    ours = [] if sites and origins == ["null"] else [parse_origin(origin) == authority for origin in origins]
    if not all(ours) or (not sites and len(ours) != 1):
        raise Refusal(403, "Only Lulu's own page may send this.")


def admit(scope: Scope, door: Door) -> Admission:
    """Who asks; on the open paths that may be nobody. Raises ``Refusal``."""
    admission = door.judge(scope)
    if admission is not None:
        return admission
    if scope["type"] == "http" and is_open(scope["path"]):
        return Admission(role=Role.NOBODY)
    raise refusals.not_signed_in()


def is_open(path: str) -> bool:
    """Whether this path is answered without a credential."""
    return path in OPEN_PATHS or any(_is_one_below(path, folder) for folder in OPEN_FOLDERS)


def check_path(scope: Scope, admission: Admission) -> None:
    """Raise ``Refusal`` where a guest asks for something that their page does not need."""
    if admission.role is Role.OWNER or (admission.role is Role.NOBODY and is_open(scope["path"])):
        return
    path = scope["path"]
    known = path in GUEST_PATHS or any(path.startswith(folder) for folder in GUEST_FOLDERS)
    method = scope.get("method", "GET")
    if not known or ".." in path or (method not in _SAFE_METHODS and not is_open(path)):
        raise Refusal(403, "This is not part of what was shared with you.")


def check_room(scope: Scope, admission: Admission) -> None:
    """Tell the connection whom it serves. Raise ``Refusal`` where a share link has as many of them as it may."""
    connection: Connection | None = scope.get(CONNECTION)
    if connection is not None and admission.role is not Role.NOBODY and not connection.let_in(admission):
        raise refusals.crowded()


def admitted(scope: Scope, admission: Admission, authority: Authority) -> Scope:
    """The request as the application sees it: what it said of itself is gone, what the guard found is there."""
    headers = [(name, value) for name, value in scope["headers"] if not _is_ours(name)]
    headers.append((ROLE_HEADER.lower().encode(), admission.role.encode()))
    headers.append((PROOF_HEADER.lower().encode(), _PROOF.encode()))
    ids = ",".join(str(one) for one in admission.access_ids)
    headers.append((ACCESS_HEADER.lower().encode(), ids.encode()))
    # Behind a proxy the cookies that the routes set must know that the browser came over TLS.
    return {**scope, "headers": headers, "lulu.authority": authority}


class _Answer:
    """What goes back: secured headers on everything, and a refusal in the form that the protocol allows."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._started = False
        self._is_cut = False
        #: Known once the host was judged.
        self.authority: Authority | None = None
        #: Known once the credential was judged.
        self.admission: Admission | None = None

    async def send(self, message: Message) -> None:
        """Hand an answer's message on, its headers secured."""
        if self._is_cut:
            return
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            headers = secured([*message.get("headers", []), *self._renewal(message)], self._sockets())
            message = {**message, "headers": headers}
        self._started = True
        await self._send(message)

    async def cut(self) -> None:
        """End a socket from our side; whatever the application still says is not sent."""
        self._is_cut = True
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._send({"type": "websocket.close", "code": 1008}), _CLOSE_WITHIN)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer instead of the application, or end what it began."""
        websocket = self._scope["type"] == "websocket"
        if self._started or self._is_cut:
            if websocket:
                with contextlib.suppress(Exception):  # it may be closed already
                    await self._send({"type": "websocket.close", "code": 1011})
                return
            raise RuntimeError("the answer had begun; the connection is cut") from refusal
        if websocket and "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._send({"type": "websocket.close", "code": 1008})
            return
        prefix = "websocket.http.response" if websocket else "http.response"
        headers = [
            (b"content-type", f"{refusal.media_type}; charset=utf-8".encode()),
            (b"content-length", str(len(refusal.body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await self.send({"type": f"{prefix}.start", "status": refusal.status, "headers": headers})
        is_head = self._scope.get("method") == "HEAD"
        await self.send({"type": f"{prefix}.body", "body": b"" if is_head else refusal.body})

    def _renewal(self, message: Message) -> list[tuple[bytes, bytes]]:
        """The owner's cookie once more, with every page: its thirty days begin anew."""
        if self.admission is None or self.admission.renewal is None or message["status"] != 200:
            return []
        sent = {name.lower(): value for name, value in message.get("headers", [])}
        if not sent.get(b"content-type", b"").startswith(b"text/html") or b"set-cookie" in sent:
            return []
        secure = "; Secure" if self.authority is not None and self.authority.scheme == "https" else ""
        return [(b"set-cookie", (self.admission.renewal + secure).encode())]

    def _sockets(self) -> str:
        """The WebSocket source for the policy: some browsers do not count it as ``'self'``."""
        if self.authority is None:
            return ""
        return f"{self.authority.scheme.replace('http', 'ws')}://{self.authority}"


def _is_ours(name: bytes) -> bool:
    return name.lower().replace(b"_", b"-").startswith(_OURS)


def _is_one_below(path: str, folder: str) -> bool:
    return path.startswith(folder) and len(path) > len(folder) and "/" not in path[len(folder) :]


def _own_port(scope: Scope) -> int:
    """The port that the connection came in on: right behind ``--server.port``, whatever the client wrote."""
    server = scope.get("server")
    if server is None or server[1] is None:
        raise Refusal(421, "Lulu answers on a TCP port only.")
    return int(server[1])
