"""The text of an event as a search looks at it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lulu.model.events import (
    Error,
    Event,
    Permission,
    Result,
    System,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Unknown,
    User,
)
from lulu.text.plain import plain
from lulu.text.unicode import as_text
from lulu.transcript.citations import sources

#: Characters of one event that are indexed; a longer output is found by its beginning.
MAX_TEXT = 1_000_000


def searchable_text(event: Event) -> str:
    """The decoded text of an event: what a person would have seen of it, not its JSON."""
    match event:
        case User():
            text = event.text
        case Text():
            cited = (part for one in sources(event) for part in (one.title, one.url, one.quote) if part)
            text = "\n".join([event.content, *cited])
        case Thinking():
            text = event.content
        case ToolUse():
            text = "\n".join([event.name, *_strings(event.input)])
        case ToolResult():
            text = "\n".join(_strings(event.content))
        case Error():
            text = "\n".join(part for part in (event.message, event.detail) if part)
        case System(subtype="note" | "unknown"):
            text = "\n".join(_strings(event.data))
        case Unknown():
            text = event.raw
        case System() | Permission() | Result() | _:
            # Machinery, or said by another event already.
            text = ""
    return as_text(plain(text[:MAX_TEXT]))


def _strings(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a JSON value, in order, names of fields left out."""
    if isinstance(value, str):
        yield value
    elif depth > 20:
        # Nobody reads what lies deeper; the raw payload has it.
        return
    elif isinstance(value, dict):
        if value.get("type") == "image":
            return
        for part in value.values():
            yield from _strings(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
