"""Parse Host and Origin headers and IP addresses: the names of this server. Knows no credentials."""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass

from starlette.types import Scope

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """The scheme, host and port of Lulu, as a browser sees them."""

    #: ``http`` or ``https``.
    scheme: str
    #: In lower case. An IPv6 address keeps its brackets.
    name: str
    port: int

    def __str__(self) -> str:
        default = self.port == _DEFAULT_PORTS[self.scheme]
        return self.name if default else f"{self.name}:{self.port}"


def parse_authority(scheme: str, text: str) -> Authority | None:
    """Parse a Host header. Returns ``None`` unless it is one plain host with an optional port."""
    match = _HOST.fullmatch(text)
    if match is None or scheme not in _DEFAULT_PORTS:
        return None
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    return Authority(scheme=scheme, name=match["name"].lower(), port=port)


def parse_origin(text: str) -> Authority | None:
    """Parse an Origin header, or a URL without a path. Returns ``None`` for any other text."""
    scheme, separator, host = text.partition("://")
    return parse_authority(scheme, host) if separator else None


def header_values(scope: Scope, wanted: bytes) -> list[str]:
    """Return every value of a header. ``wanted`` is its name in lower case."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]


@functools.lru_cache(maxsize=1_000)
def is_loopback(address: str) -> bool:
    """Whether this is an address of the loopback interface, in any form."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


@functools.lru_cache(maxsize=1_000)
def bare_address(address: str) -> str:
    """Return the address without a zone. An IPv4 address in IPv6 form becomes plain IPv4."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
