"""How long 5 MB of foreign text take: one long line, a million short ones, and what is slow to read."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from lulu.model import events
from lulu.model.events import EventId, StoredEvent
from lulu.store.sqlite.connection import folded
from lulu.text import labels, markdown, plain
from lulu.text.paragraphs import finished
from lulu.transcript import diffs, export
from lulu.transcript.search_text import searchable_text
from scripts.bench.figures import Figure, middle, row
from scripts.bench.stage import Stage

#: Characters of a text.
SIZE = 5_000_000
SHAPES: dict[str, Callable[[int], str]] = {
    "one line": lambda size: "x" * size,
    "short lines": lambda size: "abcd\n" * (size // 5),
    "a progress bar": lambda size: "12 %\r\x1b[0m" * (size // 9),
    "colours": lambda size: "\x1b[31mred\x1b[0m " * (size // 13),
    "invisible characters": lambda size: "a\u200b" * (size // 2),
}


def _exported(given: str) -> object:
    event = events.ToolResult(tool_use_id="t", content=given)
    raw = events.encode(event)[1]
    return export.as_markdown(
        [StoredEvent(id=EventId(1), session_id="s", event=event, created_at=datetime.now(UTC), raw=raw)]
    )


READERS: dict[str, Callable[[str], object]] = {
    "console": lambda given: plain.plain(plain.console(given)),
    "drawn block": lambda given: plain.plain(labels.cut(given).shown),
    "markdown": lambda given: markdown.rewrite(labels.cut(given).shown),
    "paragraphs": finished,
    "diff": lambda given: diffs.diff_lines(given, given + "y\n"),
    "search text": lambda given: searchable_text(events.ToolResult(tool_use_id="t", content=given)),
    "list search": folded,
    "export": _exported,
}


@row("long_text")
def long_text(stage: Stage) -> list[Figure]:
    """Seconds that each reader of foreign text takes for 5 MB of it."""
    figures = []
    for reader, read in READERS.items():
        took = {
            shape: middle([_seconds(read, make(SIZE)) for _ in range(stage.rounds)]) for shape, make in SHAPES.items()
        }
        slowest = max(took, key=lambda shape: took[shape])
        note = f"slowest: {slowest}"
        figures.append(Figure(what=f"5 MB of text: {reader}", value=took[slowest], unit="s", most=10, note=note))
    return figures


def _seconds(read: Callable[[str], object], given: str) -> float:
    start = time.thread_time()
    read(given)
    return time.thread_time() - start
