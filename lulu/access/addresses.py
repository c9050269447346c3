"""Under which names Lulu answers: parsing of Host, Origin and addresses. Knows no credentials."""

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
    """The scheme, host and port under which a browser sees Lulu."""

    #: ``http`` or ``https``.
    scheme: str
    #: In lower case; an IPv6 address keeps its brackets.
    name: str
    port: int

    def __str__(self) -> str:
        default = self.port == _DEFAULT_PORTS[self.scheme]
        return self.name if default else f"{self.name}:{self.port}"


def parse_authority(scheme: str, text: str) -> Authority | None:
    """A Host header under this scheme; nothing for anything that is not one plain host and port."""
    match = _HOST.fullmatch(text)
    if match is None or scheme not in _DEFAULT_PORTS:
        return None
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    return Authority(scheme=scheme, name=match["name"].lower(), port=port)


def parse_origin(text: str) -> Authority | None:
    """An Origin header, or a URL without a path; nothing for anything else."""
    scheme, separator, host = text.partition("://")
    return parse_authority(scheme, host) if separator else None


def header_values(scope: Scope, wanted: bytes) -> list[str]:
    """Every value of one header (its name in lower case)."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]


@functools.lru_cache(maxsize=1_000)
def is_loopback(address: str) -> bool:
    """Whether this is an address of the loopback interface, in any of its forms."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


@functools.lru_cache(maxsize=1_000)
def bare_address(address: str) -> str:
    """An address without its zone, an IPv4 one out of its IPv6 form."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
