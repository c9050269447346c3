"""The sources of an answer: each once, a link only where it leads to the web, and found wherever the answer is."""

from __future__ import annotations

import pytest

from lulu.access.guest_view import guest_rows
from lulu.model.events import Text
from lulu.store import ShareOptions
from lulu.transcript import export
from lulu.transcript.citations import sources
from lulu.transcript.search_text import searchable_text
from tests.samples import stored

CITED = Text(
    content="It rains.",
    citations=[
        {"type": "web_search_result_location", "url": "https://example.org/a", "title": "Rain", "cited_text": "wet"},
        {"type": "char_location", "document_title": "Notes", "cited_text": "sk-ant-api03-" + "a" * 80},
    ],
    more={"cache_control": "unread"},
)


@pytest.mark.parametrize(
    ("given", "link"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("HTTP://example.org", "HTTP://example.org"),
        ("https://example.org/a b)(<x>`*[$]", "https://example.org/a%20b%29%28%3Cx%3E%60%2A%5B%24%5D"),
        ("https://exämple.org/ü", "https://ex%C3%A4mple.org/%C3%BC"),
        ("https://user@evil.example/", "https://user@evil.example/"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("//example.org", ""),
        ("https://", ""),
        ("https://[broken", ""),
        ("mailto:a@example.org", ""),
        ("https://example.org/" + "a" * 5_000, ""),
        ("https://example.org/\ud800", "https://example.org/%3F"),
        (7, ""),
    ],
)
def test_only_an_address_of_the_web_is_a_link(given: object, link: str) -> None:
    [source] = sources(Text(content="x", citations=[{"url": given, "title": "t"}]))

    assert source.url == link


@pytest.mark.parametrize("citations", [None, [], [7, "x", None, []], [{}], [{"url": None, "title": []}]])
def test_citations_of_any_shape_are_read(citations: list[object] | None) -> None:
    assert [source.url for source in sources(Text(content="x", citations=citations)) if source.url] == []


def test_sources_are_exported_and_searched() -> None:
    rows = stored([CITED])

    assert "Rain (https://example.org/a)" in export.as_text(rows)
    assert "Rain (https://example.org/a)" in export.as_markdown(rows)
    assert {"It rains.", "Rain", "https://example.org/a", "wet", "Notes"} <= set(searchable_text(CITED).split("\n"))


def test_a_guest_sees_sources_without_secrets_and_nothing_that_lulu_does_not_read() -> None:
    [row] = guest_rows(stored([CITED]), ShareOptions()).rows

    assert isinstance(row.event, Text)
    assert [source.url for source in sources(row.event)] == ["https://example.org/a", ""]
    assert "sk-ant" not in row.raw
    assert "unread" not in row.raw
