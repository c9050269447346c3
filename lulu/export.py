"""What stands in a log, as a text to take elsewhere: plain, markdown, or raw JSON. Pure: knows rows, no page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from lulu import events
from lulu.citations import sources
from lulu.events import StoredEvent

#: Events that say nothing to a reader outside: they are in the raw form only.
_UNTOLD = frozenset({"system", "permission", "permission_decision"})


def as_json(rows: Iterable[StoredEvent]) -> str:
    """Every event as it is stored: a list of objects with ``id``, ``type``, ``created_at`` and ``payload``."""
    told = [
        {
            "id": stored.id,
            "type": stored.type,
            "created_at": stored.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "payload": _payload(stored.raw),
        }
        for stored in rows
    ]
    return json.dumps(told, indent=2)


def as_text(rows: Iterable[StoredEvent]) -> str:
    """Prompts, answers and calls, each under a line that says what it is."""
    parts = [f"[{name}]\n{text}" for stored in rows for name, text in _told(stored)]
    return "\n\n".join(parts) + "\n" if parts else ""


def as_markdown(rows: Iterable[StoredEvent]) -> str:
    """The same as markdown: answers as the agent wrote them, prompts quoted, calls and outputs as code."""
    parts: list[str] = []
    for stored in rows:
        for name, text in _told(stored):
            match stored.event:
                case events.Text() if name == "Answer":
                    parts.append(text)
                case events.User():
                    parts.append(f"**{name}**\n\n" + "\n".join(f"> {line}".rstrip() for line in text.split("\n")))
                case events.Result():
                    parts.append(f"*{text}*")
                case _:
                    parts.append(f"**{name}**\n\n{_fenced(text)}")
    return "\n\n".join(parts) + "\n" if parts else ""


def heading(stored: StoredEvent) -> str:
    """What an event is and how it begins, to tell it from others of its turn."""
    name, text = next(iter(_told(stored)), (f"Event {stored.type}", ""))
    begins = text.strip().partition("\n")[0]
    return f"{name}: {begins}" if begins else name


def _told(stored: StoredEvent) -> list[tuple[str, str]]:
    """What an event is and what it says; nothing for what only machinery reads."""
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


def _payload(raw: str) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw
