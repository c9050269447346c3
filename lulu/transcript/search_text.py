"""Extract the searchable text of an event. Pure."""

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

#: The most indexed characters of one event. A longer output is found by its beginning.
MAX_TEXT = 1_000_000


def searchable_text(event: Event) -> str:
    """Return the decoded text of an event, as a person would see it, not its JSON."""
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
            # Internal messages, or texts that another event already has.
            text = ""
    return as_text(plain(text[:MAX_TEXT]))


def _strings(value: object, depth: int = 0) -> Iterator[str]:
    """Yield every text in a JSON value, in order, without the names of fields."""
    if isinstance(value, str):
        yield value
    elif depth > 20:
        # Deeper values are not searched. The raw payload has them.
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
