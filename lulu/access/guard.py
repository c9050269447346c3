"""The guard: one ASGI middleware in front of every route and WebSocket. Denies by default.
Decides in which order a request is judged, and sets the headers of every answer. Knows no page, route or row: a
``Door`` authenticates.
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

#: Request headers from the guard for the page. The guard removes them from every request before it adds its own.
ROLE_HEADER = "X-Lulu-Role"
ACCESS_HEADER = "X-Lulu-Access"
PROOF_HEADER = "X-Lulu-Proof"
_OURS = b"x-lulu-"

#: A secret of each process (or of the one with the guard), never sent to a browser. Without it, a forged header, or a
#: page that runs without the guard, has no role.
_PROOF = secrets.token_hex(32)

#: Names of this machine for its own browser. ``lulu.localhost`` shares no cookies with other local servers.
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "lulu.localhost"})
#: Paths that need no credential. Each one checks a token itself, or only shows that Lulu runs.
OPEN_PATHS = ("/login", "/healthz")
OPEN_FOLDERS = ("/pair/", "/s/")
#: All that a guest's page needs: no uploads, no downloads, no other sessions.
GUEST_PATHS = frozenset(
    {"/", "/bell", "/favicon.png", "/index.html", "/manifest.json", "/healthz", "/login"}
    | {f"/_stcore/{name}" for name in ("stream", "health", "host-config", "allowed-message-origins")}
)
GUEST_FOLDERS = ("/static/", "/_stcore/bidi-components/", "/component/", *OPEN_FOLDERS)
#: The scope's key for the connection of a request.
CONNECTION = "lulu.connection"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: The most seconds until an open socket is judged again. A change of access also judges it again.
_LOOK_AGAIN = 60.0
#: Seconds for a socket that is ended to receive its close message.
_CLOSE_WITHIN = 1.0


@dataclass(frozen=True, kw_only=True)
class Admission:
    """The authenticated role of a request, with its credential."""

    #: ``Role.NOBODY`` only on the open paths.
    role: Role
    #: The rows in ``access`` of the credential: one for an owner, up to twenty for a guest.
    access_ids: tuple[int, ...] = ()
    #: The earliest expiry of these rows.
    expires_at: datetime | None = None
    #: A renewed cookie: the value of ``Set-Cookie`` without ``Secure``.
    renewal: str | None = None

    def is_same(self, other: Admission | None) -> bool:
        """Whether both have the same role and rows."""
        return other is not None and (self.role, self.access_ids) == (other.role, other.access_ids)


class Door(Protocol):
    """Authentication, and the networks that may connect."""

    @property
    def is_open_to_lan(self) -> bool:
        """Whether other computers may connect."""

    @property
    def public(self) -> Authority | None:
        """The address of a proxy that serves Lulu, or ``None``."""

    def own_names(self) -> frozenset[str]:
        """Return this computer's addresses, as a Host header writes them."""

    def is_here(self, scope: Scope) -> bool:
        """Whether the peer is this computer."""

    def judge(self, scope: Scope) -> Admission | None:
        """Return the admission of a request, or ``None``: the guard then answers 401."""

    async def changed(self) -> None:
        """Return at the next change of access."""

    def watching(self, scope: Scope, admission: Admission) -> contextlib.AbstractContextManager[None]:
        """Return a context for the lifetime of an open socket."""


class Connection(Protocol):
    """The connection of a request."""

    def let_in(self, admission: Admission) -> bool:
        """Record an authenticated request on this connection. Return whether there is room for it."""


class Guard:
    """Judges each request once: host, network, origin, credential. Passes it on or answers itself."""

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
            # After any error, the request is refused, and the answer has the same headers.
            _LOGGER.exception("A request failed")
            await answer.refuse(Refusal(500, "Something went wrong in Lulu. Nothing was changed; the log says more."))

    async def _serve_socket(self, scope: Scope, receive: Receive, answer: _Answer, admission: Admission) -> None:
        """Serve a socket as long as its credential is valid. The client cannot delay the end."""
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
        """Return when the admission is no longer valid: revoked, expired, or its network closed."""
        current: Admission | None = admission
        while admission.is_same(current):
            left = _LOOK_AGAIN
            if current is not None and current.expires_at is not None:
                left = min(left, max(0.0, (current.expires_at - datetime.now(UTC)).total_seconds()) + 0.01)
            # Not wait_for: in Python 3.11 it loses a cancellation that comes at the same time as the change.
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
    """Accept identity headers signed with ``proof``.
    Called by the guest process; the main process's guard has already checked its requests.
    """
    global _PROOF
    _PROOF = proof


def admission_of(headers: Mapping[str, str]) -> Admission | None:
    """Return the admission in a request's headers, or ``None`` if they lack this process's proof.
    Takes ``st.context.headers`` or Starlette's headers: a mapping that ignores case.
    """
    if not hmac.compare_digest(headers.get(PROOF_HEADER, "").encode(), _PROOF.encode()):
        return None
    access_ids = headers.get(ACCESS_HEADER, "")
    return Admission(
        role=Role(headers[ROLE_HEADER]), access_ids=tuple(int(one) for one in access_ids.split(",") if one)
    )


def authority_of(scope: Scope, door: Door) -> Authority:
    """Return the requested host. Raises ``Refusal`` unless it is a name of this machine, with our port.
    After DNS rebinding, a page of another site reaches 127.0.0.1, but it still sends its own name.
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
        # The proxy ends TLS, so the request may be plain HTTP.
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
    """Raise ``Refusal`` unless the request comes from one of our own pages.
    A WebSocket needs exactly our Origin. So does a method that can change data, unless the browser itself declares our
    page as the source (``Sec-Fetch-Site``).
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
    """Return the admission of a request; without a role on the open paths. Raises ``Refusal``."""
    admission = door.judge(scope)
    if admission is not None:
        return admission
    if scope["type"] == "http" and is_open(scope["path"]):
        return Admission(role=Role.NOBODY)
    raise refusals.not_signed_in()


def is_open(path: str) -> bool:
    """Whether this path needs no credential."""
    return path in OPEN_PATHS or any(_is_one_below(path, folder) for folder in OPEN_FOLDERS)


def check_path(scope: Scope, admission: Admission) -> None:
    """Raise ``Refusal`` if a guest requests a path that a guest's page does not need."""
    if admission.role is Role.OWNER or (admission.role is Role.NOBODY and is_open(scope["path"])):
        return
    path = scope["path"]
    known = path in GUEST_PATHS or any(path.startswith(folder) for folder in GUEST_FOLDERS)
    method = scope.get("method", "GET")
    if not known or ".." in path or (method not in _SAFE_METHODS and not is_open(path)):
        raise Refusal(403, "This is not part of what was shared with you.")


def check_room(scope: Scope, admission: Admission) -> None:
    """Record the admission on the connection. Raise ``Refusal`` if its share link has too many."""
    connection: Connection | None = scope.get(CONNECTION)
    if connection is not None and admission.role is not Role.NOBODY and not connection.let_in(admission):
        raise refusals.crowded()


def admitted(scope: Scope, admission: Admission, authority: Authority) -> Scope:
    """Return the scope for the application, with the guard's identity headers instead of the client's."""
    headers = [(name, value) for name, value in scope["headers"] if not _is_ours(name)]
    headers.append((ROLE_HEADER.lower().encode(), admission.role.encode()))
    headers.append((PROOF_HEADER.lower().encode(), _PROOF.encode()))
    ids = ",".join(str(one) for one in admission.access_ids)
    headers.append((ACCESS_HEADER.lower().encode(), ids.encode()))
    # Behind a proxy, a route that sets cookies needs to know whether the browser uses TLS.
    return {**scope, "headers": headers, "lulu.authority": authority}


class _Answer:
    """Sends the answer: with secured headers, and refusals in the form that the protocol needs."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._started = False
        self._is_cut = False
        #: Known after the host was judged.
        self.authority: Authority | None = None
        #: Known after the credential was judged.
        self.admission: Admission | None = None

    async def send(self, message: Message) -> None:
        """Send a message of an answer, with secured headers."""
        if self._is_cut:
            return
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            headers = secured([*message.get("headers", []), *self._renewal(message)], self._sockets())
            message = {**message, "headers": headers}
        self._started = True
        await self._send(message)

    async def cut(self) -> None:
        """Close a socket from this side. Later messages of the application are not sent."""
        self._is_cut = True
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._send({"type": "websocket.close", "code": 1008}), _CLOSE_WITHIN)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer instead of the application, or end the answer that it began."""
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
        """Return the owner's cookie again with every page, so that its thirty days start again."""
        if self.admission is None or self.admission.renewal is None or message["status"] != 200:
            return []
        sent = {name.lower(): value for name, value in message.get("headers", [])}
        if not sent.get(b"content-type", b"").startswith(b"text/html") or b"set-cookie" in sent:
            return []
        secure = "; Secure" if self.authority is not None and self.authority.scheme == "https" else ""
        return [(b"set-cookie", (self.admission.renewal + secure).encode())]

    def _sockets(self) -> str:
        """Return the WebSocket source for the policy. Some browsers do not include it in ``'self'``."""
        if self.authority is None:
            return ""
        return f"{self.authority.scheme.replace('http', 'ws')}://{self.authority}"


def _is_ours(name: bytes) -> bool:
    return name.lower().replace(b"_", b"-").startswith(_OURS)


def _is_one_below(path: str, folder: str) -> bool:
    return path.startswith(folder) and len(path) > len(folder) and "/" not in path[len(folder) :]


def _own_port(scope: Scope) -> int:
    """Return the port of the connection, independent of ``--server.port`` and of the client's headers."""
    server = scope.get("server")
    if server is None or server[1] is None:
        raise Refusal(421, "Lulu answers on a TCP port only.")
    return int(server[1])
