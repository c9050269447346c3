"""Export a log as plain text, markdown or raw JSON. Pure: knows rows, no page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt

from lulu.model import events
from lulu.model.events import StoredEvent
from lulu.model.timestamps import time_text
from lulu.transcript.citations import sources

#: Events without meaning outside of Lulu. Only the raw form has them.
_UNTOLD = frozenset({"system", "permission", "permission_decision"})


def as_json(rows: Iterable[StoredEvent]) -> str:
    """Return every event as stored: objects with ``id``, ``type``, ``created_at`` and ``payload``."""
    told = [
        {
            "id": stored.id,
            "type": stored.type,
            "created_at": time_text(stored.created_at),
            "payload": _payload(stored.raw),
        }
        for stored in rows
    ]
    return json.dumps(told, indent=2)


def as_text(rows: Iterable[StoredEvent]) -> str:
    """Return prompts, answers and calls, each under a line with its kind."""
    parts = [f"[{name}]\n{text}" for stored in rows for name, text in _told(stored)]
    return "\n\n".join(parts) + "\n" if parts else ""


def as_markdown(rows: Iterable[StoredEvent]) -> str:
    """Return the same as markdown: answers unchanged, prompts quoted, calls and outputs as code."""
    parts: list[str] = []
    for stored in rows:
        for name, text in _told(stored):
            match stored.event:
                case events.Text() if name == "Answer":
                    parts.append(_closed(text))
                case events.User():
                    parts.append(f"**{name}**\n\n" + "\n".join(f"> {line}".rstrip() for line in text.split("\n")))
                case events.Result():
                    parts.append(f"*{text}*")
                case _:
                    parts.append(f"**{name}**\n\n{_fenced(text)}")
    return "\n\n".join(parts) + "\n" if parts else ""


def heading(stored: StoredEvent) -> str:
    """Return the kind and the first line of an event, to tell it from others of its turn."""
    name, text = next(iter(_told(stored)), (f"Event {stored.type}", ""))
    begins = text.strip().partition("\n")[0]
    return f"{name}: {begins}" if begins else name


def _told(stored: StoredEvent) -> list[tuple[str, str]]:
    """Return the kind and text of an event's parts; an empty list for the events in ``_UNTOLD``."""
    if stored.type in _UNTOLD:
        return []
    match stored.event:
        case events.User(text=text):
            return [(f"Prompt, {stored.created_at:%Y-%m-%d %H:%M} UTC", text)]
        case events.Text(content=text):
            return [("Answer", text), *_sources(stored.event)]
        case events.Thinking(content=text):
            return [("Thinking", text)]
        case events.ToolUse(name=name, input=arguments):
            return [
                (f"Call of {name}", _one_argument(arguments) or json.dumps(arguments, indent=2, ensure_ascii=False))
            ]
        case events.ToolResult(content=content, is_error=is_error):
            return [("Failed" if is_error else "Output", _blocks(content))]
        case events.Error(message=message, detail=detail):
            return [("Error", "\n".join(part for part in (message, detail) if part))]
        case events.Result():
            return _end(stored.event)
    return [(f"Event {stored.type}", stored.raw)]


def _end(result: events.Result) -> list[tuple[str, str]]:
    seconds = f"{result.duration_ms / 1000:.1f} s" if result.duration_ms is not None else ""
    cost = f"${result.cost_usd:.4f}" if result.cost_usd is not None else ""
    told = ", ".join(part for part in (result.terminal_reason or "", seconds, cost) if part)
    return [("End of the turn", told)] if told else []


def _sources(text: events.Text) -> list[tuple[str, str]]:
    told = [f"{one.title} ({one.url})" if one.url else one.title for one in sources(text)]
    return [("Sources", "\n".join(told))] if told else []


def _one_argument(arguments: dict[str, Any]) -> str:
    only = next(iter(arguments.values())) if len(arguments) == 1 else None
    return only if isinstance(only, str) else ""


def _blocks(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [block.get("text") if isinstance(block, dict) else None for block in content]
        if texts and all(isinstance(text, str) for text in texts):
            return "\n".join(str(text) for text in texts)
    return "" if content is None else json.dumps(content, indent=2, ensure_ascii=False, default=str)


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


#: HTML that continues over blank lines up to its own end (CommonMark 0.31, 4.6, kinds 1 to 5), and that end.
_OPEN_HTML = re.compile(r"<(?:(script|pre|style|textarea)(?=[\s>]|$)|(!--)|(\?)|(!\[CDATA\[)|(![a-z]))", re.IGNORECASE)
_HTML_ENDS = ("-->", "?>", "]]>", ">")


def _closed(text: str) -> str:
    """Return markdown with its last block closed. An answer may have been cut off."""
    if not any(mark in text for mark in ("```", "~~~", "<")):
        return text
    last = next(reversed(_parser().parse(text)), None)
    if last is None or last.level or last.map is None:
        return text
    lines = [line.strip() for line in text.split("\n")[last.map[0] : last.map[1]]]
    if last.type == "fence":
        is_closed = len(lines) > 1 and lines[-1].startswith(last.markup) and set(lines[-1]) == set(last.markup)
        return text if is_closed else f"{text}\n{last.markup}"
    opened = _OPEN_HTML.match(lines[0]) if last.type == "html_block" else None
    if opened is None:
        return text
    end = f"</{opened[1]}>" if opened[1] else _HTML_ENDS[(opened.lastindex or 2) - 2]
    return text if any(end.lower() in line.lower() for line in lines) else f"{text}\n{end}"


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"maxNesting": 4}).disable("inline")


def _payload(raw: str) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw
