"""Matches the domain of ``WebFetch(domain:…)`` with an address: strict to approve, generous to deny."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from lulu.errors import InputError
from lulu.rules.text_globs import TextGlob, text_glob

#: An address that every program parses in the same way: http, an ASCII host, no user before it.
_PLAIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?([/?#][^\s\\\x00-\x1f\x7f]*)?")
_DOMAIN = re.compile(r"[\w*.:\[\]-]+")


@dataclass(frozen=True, kw_only=True)
class HostGlob:
    """``*``, ``*.example.org`` (any depth, not ``example.org``), or labels with stars that match no dot."""

    #: In lower case, without a dot at the end.
    text: str
    #: The labels without a leading ``*.``.
    labels: tuple[TextGlob, ...]
    #: Whether one or more labels must precede them.
    subdomains: bool

    def matches(self, host: str) -> bool:
        """Whether the pattern matches ``host``."""
        if self.text == "*":
            return True
        labels = host.lower().rstrip(".").split(".")
        if self.subdomains:
            if len(labels) <= len(self.labels) or not all(labels):
                return False
            labels = labels[-len(self.labels) :]
        return len(labels) == len(self.labels) and all(
            glob.matches(label) for glob, label in zip(self.labels, labels, strict=True)
        )


@lru_cache(maxsize=512)
def host_glob(domain: str) -> HostGlob:
    """Parse a domain. Raises ``InputError`` if it is none."""
    text = domain.lower().rstrip(".")
    if not text or not _DOMAIN.fullmatch(text):
        raise InputError(
            "This is not a domain.",
            safe="No rule was changed.",
            next_step="Write the host alone: WebFetch(domain:example.org) or WebFetch(domain:*.example.org).",
        )
    subdomains = text.startswith("*.")
    rest = text[2:] if subdomains else text
    labels = tuple(text_glob(_ascii(label), escapes=False) for label in rest.split("."))
    return HostGlob(text=text, labels=labels, subdomains=subdomains)


def _ascii(label: str) -> str:
    """Return the label in its ASCII form, as in an address."""
    try:
        return label.encode("idna").decode("ascii") if not label.isascii() else label
    except UnicodeError:
        return label


def plain_host(url: str) -> str | None:
    """Return the host of an address that all programs parse alike; None for any other address."""
    found = _PLAIN.fullmatch(url)
    return found[1] if found else None


def possible_hosts(url: str) -> list[str]:
    """Return every host that some program may find in this address."""
    hosts: set[str] = set()
    for spelling in (url, url.strip().replace("\\", "/"), unicodedata.normalize("NFKC", url)):
        try:
            host = urlsplit(spelling).hostname
        except ValueError:
            continue
        if not host:
            continue
        hosts |= {host, unquote(host)}
        try:
            hosts.add(unquote(host).encode("idna").decode("ascii"))
        except UnicodeError:
            continue
    return sorted(hosts)
