"""The same transcript as one static HTML file: what a browser needs at the least to show all of it."""

from __future__ import annotations

import functools
import html
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from markdown_it import MarkdownIt

from lulu.model.events import Event, Result, Text, Thinking, ToolResult, ToolUse, User
from scripts.bench.transcripts import transcript

_HEAD = """<!doctype html><meta charset="utf-8"><title>A transcript</title>
<style>body { font: 15px/1.5 sans-serif; max-width: 860px; margin: auto } pre { overflow-x: auto }</style>
"""
#: The browser goes to its end by itself, as Lulu's page does.
_END = '<p id="end"></p>'


def write_page(folder: Path, tag: str, events: int) -> str:
    """Write the page of a made-up transcript and one that links to it; the name of the second."""
    body = "\n".join(_html(transcript(tag, events)))
    (folder / f"{tag}.html").write_text(f"{_HEAD}{body}{_END}", encoding="utf-8")
    link = f'{_HEAD}<a href="{tag}.html#end">{tag}</a>'
    (folder / f"to-{tag}.html").write_text(link, encoding="utf-8")
    return f"to-{tag}.html"


def _html(events: Iterable[Event]) -> Iterator[str]:
    markdown = MarkdownIt("commonmark", {"html": False})
    for event in events:
        match event:
            case User(text=text):
                yield f"<blockquote>{html.escape(text)}</blockquote>"
            case Text(content=content):
                yield markdown.render(content)
            case Thinking(content=content):
                yield f"<details><summary>Thinking</summary><pre>{html.escape(content)}</pre></details>"
            case ToolUse(name=name, input=tool_input):
                yield f"<details><summary>{name}</summary><pre>{html.escape(str(tool_input))}</pre>"
            case ToolResult(content=content):
                yield f"<pre>{html.escape(str(content))}</pre></details>"
            case Result():
                yield "<small>12 s, $0.12</small>"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a port of this machine; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="static-pages")
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()
