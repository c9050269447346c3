"""The sources that an answer names: where a text of the model's comes from. Pure: knows the API's forms, no page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lulu.model.events import Text

#: The API's names for an address, a title and the words that were cited, in each kind of citation.
_ADDRESSES = ("url", "source")
_TITLES = ("title", "document_title", "file_id")
_QUOTES = ("cited_text",)
#: Whatever markdown, a page or a terminal would read as the end of an address, or as markup in it.
_NOT_IN_AN_ADDRESS = re.compile(r"[^A-Za-z0-9:/?#@!&=+,;%~._-]")
#: A longer address is no link that anybody could judge.
_LONGEST = 2_000


@dataclass(frozen=True, kw_only=True)
class Source:
    """One source, as the API told it."""

    #: What it calls itself, or its address; foreign text.
    title: str
    #: An http or https address without a character that needs escaping; nothing where it has none.
    url: str
    #: The words that were cited; foreign text.
    quote: str

    @property
    def host(self) -> str:
        """Whose address it is, whatever the title says."""
        return urlsplit(self.url).hostname or "" if self.url else ""


def sources(text: Text) -> list[Source]:
    """The sources of a text, each once, in the order in which they are cited."""
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
    """The address with every odd character escaped, where a link may lead there; else nothing."""
    try:
        parts = urlsplit(given.strip()[: _LONGEST + 1])
        is_link = parts.scheme in ("http", "https") and bool(parts.hostname) and len(given) <= _LONGEST
    except ValueError:
        return ""
    return _NOT_IN_AN_ADDRESS.sub(_percent, given.strip()) if is_link else ""


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode(errors="replace"))
