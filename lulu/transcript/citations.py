"""Read the sources that an answer cites. Pure: knows the API's forms, no page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lulu.model.events import Text

#: The API's names for an address, a title and the cited words, in each kind of citation.
_ADDRESSES = ("url", "source")
_TITLES = ("title", "document_title", "file_id")
_QUOTES = ("cited_text",)
#: Characters that markdown, a page or a terminal could read as markup or as the end of an address.
_NOT_IN_AN_ADDRESS = re.compile(r"[^A-Za-z0-9:/?#@!&=+,;%~._-]")
#: A longer address is no link, because a person could not judge it.
_LONGEST = 2_000


@dataclass(frozen=True, kw_only=True)
class Source:
    """One source, as the API names it."""

    #: Its title, or its address. Untrusted text.
    title: str
    #: An http or https address without characters that need escaping, or an empty string.
    url: str
    #: The cited words. Untrusted text.
    quote: str

    @property
    def host(self) -> str:
        """The host of the address, or an empty string."""
        return urlsplit(self.url).hostname or "" if self.url else ""


def sources(text: Text) -> list[Source]:
    """Return the sources of a text, each once, in the order of citation."""
    found: dict[tuple[str, str], Source] = {}
    for citation in text.citations or []:
        if isinstance(citation, Mapping):
            source = _source(citation)
            found.setdefault((source.title, source.url), source)
    return list(found.values())


def _source(citation: Mapping[str, object]) -> Source:
    given = _first(citation, _ADDRESSES)
    return Source(title=_first(citation, _TITLES) or given, url=address(given), quote=_first(citation, _QUOTES))


def _first(citation: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := citation.get(name), str) and value.strip()), "")


def address(given: str) -> str:
    """Return the address with odd characters escaped, or an empty string if it must not become a link."""
    try:
        parts = urlsplit(given.strip()[: _LONGEST + 1])
        is_link = parts.scheme in ("http", "https") and bool(parts.hostname) and len(given) <= _LONGEST
    except ValueError:
        return ""
    return _NOT_IN_AN_ADDRESS.sub(_percent, given.strip()) if is_link else ""


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode(errors="replace"))
