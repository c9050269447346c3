"""The domain of ``WebFetch(domain:…)`` against the host of an address, as strictly or as generously as asked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from lulu.errors import InputError
from lulu.rules.text_globs import TextGlob, text_glob

#: An address that every program reads alike: http, an ASCII host, nothing before it.
_PLAIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?([/?#][^\s\\\x00-\x1f\x7f]*)?")
_DOMAIN = re.compile(r"[\w*.:\[\]-]+")


@dataclass(frozen=True, kw_only=True)
class HostGlob:
    """``*``, ``*.example.org`` (any depth, not ``example.org``), or labels in which a star crosses no dot."""

    #: Lower case, no dot at the end.
    text: str
    #: The labels, after a leading ``*.`` was taken off.
    labels: tuple[TextGlob, ...]
    #: Whether more labels may, and at least one must, stand before.
    subdomains: bool

    def matches(self, host: str) -> bool:
        """Whether ``host`` is one that the pattern means."""
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
    """Read a domain. Raises ``InputError`` for what cannot be one."""
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
    """The label as it stands in an address."""
    try:
        return label.encode("idna").decode("ascii") if not label.isascii() else label
    except UnicodeError:
        return label


def plain_host(url: str) -> str | None:
    """The host of an address that leaves no doubt about it, else nothing."""
    found = _PLAIN.fullmatch(url)
    return found[1] if found else None


def possible_hosts(url: str) -> list[str]:
    """Every host that some program may find in this address."""
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
