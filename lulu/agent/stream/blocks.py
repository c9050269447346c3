"""Translate one block of a message into its event. Unread parts are kept in the event's ``more``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lulu.model.events import Event, System, Text, Thinking, ToolResult, ToolUse, made

Block = dict[str, Any]

#: Blocks without a text or a call that the page shows. Each is a system event with its own name.
_ALONE = frozenset({"redacted_thinking", "fallback", "container_upload", "image"})


def of_assistant(block: object, common: dict[str, Any]) -> Event:
    """Return the event of the model's block. ``common``: the fields that it shares with its message."""
    return _read(block, common, _assistant)


def of_user(block: object, common: dict[str, Any], frame: Mapping[str, Any]) -> Event:
    """Return the event of a block in the user's name: a tool's answer, or a note of Claude Code's.

    ``frame``: the frame of the block.
    """

    def read(block: Block, common: dict[str, Any]) -> Event:
        match block["type"]:
            case "tool_result":
                return _result(block, {**common, "data": frame.get("tool_use_result")})
            case "text":
                # Not a person's prompt (those are not echoed): a finished task's report, for example.
                data = {"text": block["text"], "origin": frame.get("origin")}
                return made(System, {"subtype": "note", "data": data, **common}, _rest(block, "text"))
            case _:
                return _assistant(block, common)

    return _read(block, common, read)


def _read(block: object, common: dict[str, Any], read: Callable[[Block, dict[str, Any]], Event]) -> Event:
    """Return the event, or an unknown one with the whole block if its form is unexpected."""
    if isinstance(block, dict):
        try:
            return read(block, common)
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
    return System(subtype="unknown", data=block if isinstance(block, dict) else {"block": block}, **common)


def _assistant(block: Block, common: dict[str, Any]) -> Event:
    match block["type"]:
        case "text":
            values = {"content": block["text"], "citations": block.get("citations"), **common}
            return made(Text, values, _rest(block, "text", "citations"))
        case "thinking":
            return made(Thinking, {"content": block["thinking"], **common}, _rest(block, "thinking"))
        case "tool_use" | "server_tool_use":
            return _use(block, block["name"], common)
        case "mcp_tool_use":
            # As Claude Code names the tools of its own servers: another "Bash" must not look like the real one.
            return _use(block, f"mcp__{block['server_name']}__{block['name']}", common)
        case str(kind) if kind.endswith("tool_result"):
            return _result(block, common)
        case str(kind) if kind in _ALONE:
            return System(subtype=kind, data=block, **common)
        case _:
            raise ValueError("a kind of block that this version does not know")


def _use(block: Block, name: str, common: dict[str, Any]) -> Event:
    given = block["input"]
    # Mistakes of the model: an empty list, a text.
    arguments = given if isinstance(given, dict) else {"input": given} if given else {}
    rest = _rest(block, "id", "name", *(["input"] if isinstance(given, dict) else []))
    return made(ToolUse, {"id": block["id"], "name": name, "input": arguments, **common}, rest)


def _result(block: Block, common: dict[str, Any]) -> Event:
    content = block.get("content")
    values = {
        "tool_use_id": block["tool_use_id"],
        "content": content,
        "is_error": block.get("is_error") is True or _is_failure(content),
        **common,
    }
    return made(ToolResult, values, _rest(block, "tool_use_id", "content", "is_error"))


def _is_failure(content: object) -> bool:
    """Whether the answer of an API tool is a failure: a type ``…_error``, or an exit code."""
    if not isinstance(content, dict):
        return False
    return str(content.get("type")).endswith("_error") or content.get("return_code") not in (None, 0)


def _rest(block: Block, *known: str) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != "type" and name not in known}
