"""The guard: one pure ASGI middleware in front of every route and every WebSocket, deny by default.

It owns the order in which a request is judged and the headers of every answer. It knows no page and no route.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lulu.access.headers import secured
from lulu.actors import Role

_LOGGER = logging.getLogger(__name__)

#: What the guard tells the page, in request headers that it strips from every request before it adds its own.
ROLE_HEADER = "X-Lulu-Role"
ACCESS_HEADER = "X-Lulu-Access"
PROOF_HEADER = "X-Lulu-Proof"
_OURS = b"x-lulu-"

#: Made anew by every process and never sent to a browser: without it, a page that was started without the guard,
#: or a header that somebody forged, gives no role.
_PROOF = secrets.token_hex(32)

#: The names that a browser on this machine uses for it. ``lulu.localhost`` shares no cookies with other local servers.
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "lulu.localhost"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?", re.IGNORECASE)
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Who the guard let in."""

    #: Never ``Role.NOBODY``: nobody is not let in.
    role: Role
    #: The row in ``access`` that let them in, once there is one.
    access_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Authority:
    """The scheme, host and port under which a browser sees Lulu."""

    #: ``http`` or ``https``.
    scheme: str
    #: In lower case; an IPv6 address keeps its brackets.
    name: str
    port: int

    def __str__(self) -> str:
        default = self.port == _DEFAULT_PORTS[self.scheme]
        return self.name if default else f"{self.name}:{self.port}"


class Refusal(Exception):
    """Ends the judgement. The text is all that the asker learns."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Judge(Protocol):
    """Finds who asks. Nothing means nobody: the guard answers 401."""

    def __call__(self, scope: Scope) -> Admission | None: ...


def this_computer(scope: Scope) -> Admission | None:
    """Admit whoever asks from this machine as the owner. Login and share links replace this function."""
    if any(name in _FORWARDED for name, _ in scope["headers"]):
        return None  # behind a proxy everybody would look local
    peer = scope.get("client")
    if peer is None or not _is_loopback(peer[0]):
        return None
    return Admission(role=Role.OWNER)


class Guard:
    """Judges a request once: host, origin, credential. Then hands it on with the role, or answers itself."""

    def __init__(self, app: ASGIApp, judge: Judge = this_computer) -> None:
        self._app = app
        self._judge = judge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            authority = authority_of(scope)
            answer.authority = authority
            check_origin(scope, authority)
            admission = self._judge(scope)
            if admission is None:
                raise Refusal(401, "You are not signed in.")
            await self._app(_admitted(scope, admission), receive, answer.send)
        except Refusal as refusal:
            await answer.refuse(refusal)
        except Exception:
            # Whatever went wrong, the request is not let through and its answer carries the same headers.
            _LOGGER.exception("A request failed")
            await answer.refuse(Refusal(500, "Something went wrong in Lulu. Nothing was changed; the log says more."))


def admission_of(headers: Mapping[str, str]) -> Admission | None:
    """What the guard wrote into a request's headers, or nothing if this guard did not write them.

    Takes ``st.context.headers`` or Starlette's headers: a mapping that ignores case.
    """
    if not hmac.compare_digest(headers.get(PROOF_HEADER, "").encode(), _PROOF.encode()):
        return None
    access_id = headers.get(ACCESS_HEADER)
    return Admission(role=Role(headers[ROLE_HEADER]), access_id=int(access_id) if access_id else None)


def authority_of(scope: Scope) -> Authority:
    """The name under which Lulu was asked for. Raises ``Refusal`` unless it is a name of this machine, with our port.

    A page of another site whose name was made to point at 127.0.0.1 (DNS rebinding) still sends its own name.
    """
    hosts = _values(scope, b"host")
    if len(hosts) != 1:
        raise Refusal(400, "A request names exactly one host.")
    scheme = str(scope["scheme"]).replace("ws", "http")
    authority = _parse_authority(scheme, hosts[0])
    port = _own_port(scope)
    if authority is None or authority.name not in LOCAL_NAMES or authority.port != port:
        raise Refusal(
            421,
            "Lulu does not answer under this name.\n\n"
            f"On the computer where it runs, open {scheme}://127.0.0.1:{port} instead.\n"
            f"From another computer, forward the port: ssh -L {port}:127.0.0.1:{port} that-computer",
        )
    return authority


def check_origin(scope: Scope, authority: Authority) -> None:
    """Raise ``Refusal`` when the page that asks is not one of ours.

    A WebSocket needs an Origin that is exactly ours. So does a method that can change something, unless the browser
    itself says that the request comes from our page (``Sec-Fetch-Site``).
    """
    origins = _values(scope, b"origin")
    if scope["type"] == "websocket":
        if len(origins) != 1 or _parse_origin(origins[0]) != authority:
            raise Refusal(403, "Only Lulu's own page may connect.")
        return
    if scope["method"] in _SAFE_METHODS:
        return
    sites = _values(scope, b"sec-fetch-site")
    if sites and sites != ["same-origin"]:
        raise Refusal(403, "Only Lulu's own page may send this.")
    # A page with Referrer-Policy: no-referrer posts its own forms with "Origin: null".
    ours = [] if sites and origins == ["null"] else [_parse_origin(origin) == authority for origin in origins]
    if not all(ours) or (not sites and len(ours) != 1):
        raise Refusal(403, "Only Lulu's own page may send this.")


class _Answer:
    """What goes back: secured headers on everything, and a refusal in the form that the protocol allows."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._started = False
        #: Known once the host was judged.
        self.authority: Authority | None = None

    async def send(self, message: Message) -> None:
        """Hand an answer's message on, its headers secured."""
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            message = {**message, "headers": secured(message.get("headers", []), self._sockets())}
        self._started = True
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer instead of the application, or end what it began."""
        websocket = self._scope["type"] == "websocket"
        if self._started:
            if websocket:
                await self._send({"type": "websocket.close", "code": 1011})
                return
            raise RuntimeError("the answer had begun; the connection is cut") from refusal
        if websocket and "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._send({"type": "websocket.close", "code": 1008})
            return
        prefix = "websocket.http.response" if websocket else "http.response"
        body = (refusal.text + "\n").encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await self.send({"type": f"{prefix}.start", "status": refusal.status, "headers": headers})
        await self.send({"type": f"{prefix}.body", "body": b"" if self._is_head() else body})

    def _is_head(self) -> bool:
        return self._scope.get("method") == "HEAD"

    def _sockets(self) -> str:
        """The WebSocket source for the policy: some browsers do not count it as ``'self'``."""
        if self.authority is None:
            return ""
        return f"{self.authority.scheme.replace('http', 'ws')}://{self.authority}"


def _admitted(scope: Scope, admission: Admission) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if not _is_ours(name)]
    headers.append((ROLE_HEADER.lower().encode(), admission.role.encode()))
    headers.append((PROOF_HEADER.lower().encode(), _PROOF.encode()))
    if admission.access_id is not None:
        headers.append((ACCESS_HEADER.lower().encode(), str(admission.access_id).encode()))
    return {**scope, "headers": headers}


def _is_ours(name: bytes) -> bool:
    return name.lower().replace(b"_", b"-").startswith(_OURS)


def _own_port(scope: Scope) -> int:
    """The port that the connection came in on: right behind ``--server.port``, whatever the client wrote."""
    server = scope.get("server")
    if server is None or server[1] is None:
        raise Refusal(421, "Lulu answers on a TCP port only.")
    return int(server[1])


def _parse_authority(scheme: str, text: str) -> Authority | None:
    match = _HOST.fullmatch(text)
    if match is None or scheme not in _DEFAULT_PORTS:
        return None
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    return Authority(scheme=scheme, name=match["name"].lower(), port=port)


def _parse_origin(text: str) -> Authority | None:
    scheme, separator, host = text.partition("://")
    return _parse_authority(scheme, host) if separator else None


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
