"""Read a tool call: its arguments, its answer as text, and Claude Code's structured result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from lulu.model.events import System
from lulu.transcript.turns import ToolCall

#: The beginning of Claude Code's answer for a failed command.
_EXIT_CODE = re.compile(r"Exit code (\d+)(?:\n|$)")
#: Claude Code's tag around the answer for a call that was not tried.
_WRAPPED = re.compile(r"<tool_use_error>(.*)</tool_use_error>", re.DOTALL)
#: A longer answer is not parsed as JSON.
_JSON_LIMIT = 200_000


def argument(call: ToolCall, *names: str) -> str:
    """Return the first of these arguments that is a string, or an empty string."""
    return first_text(call.input, *names)


def first_text(values: Mapping[str, object], *names: str) -> str:
    """Return the first of these values that is a string, or an empty string."""
    return next((value for name in names if isinstance(value := values.get(name), str)), "")


def structured(call: ToolCall) -> Mapping[str, Any]:
    """Return Claude Code's structured result, or an empty mapping."""
    data = call.result.data if call.result else None
    return data if isinstance(data, Mapping) else {}


def number(values: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these values that is an int, or ``None``."""
    found = (values.get(name) for name in names)
    return next((value for value in found if isinstance(value, int) and not isinstance(value, bool)), None)


def answer_blocks(call: ToolCall) -> list[object]:
    """Return the blocks of the answer, or an empty list if it is not a list."""
    content = call.result.content if call.result else None
    return content if isinstance(content, list) else []


def answer(call: ToolCall) -> str:
    """Return the tool's answer as text. Blocks without text become JSON, and images nothing."""
    content = call.result.content if call.result else None
    if isinstance(content, str):
        wrapped = _WRAPPED.fullmatch(content.strip()) if call.failed else None
        return wrapped[1] if wrapped else content
    if isinstance(content, list):
        return "\n".join(text for block in content if (text := _block_text(block)))
    if isinstance(content, Mapping):
        return _told_by_the_api(content) or as_json(content)
    return "" if content is None else as_json(content)


def _told_by_the_api(content: Mapping[str, Any]) -> str:
    """Return the output or error of an API tool as text, or an empty string for other answers."""
    code = number(content, "return_code")
    told = [
        first_text(content, "error_code").replace("_", " "),
        f"Exit code {code}" if code else "",
        *(first_text(content, name) for name in ("error_message", "stdout", "stderr")),
    ]
    return "\n".join(part for part in told if part)


def _block_text(block: object) -> str:
    if isinstance(block, Mapping) and isinstance(block.get("text"), str):
        return str(block["text"])
    if isinstance(block, Mapping) and block.get("type") == "image":
        return ""
    return as_json(block)


def exit_code(call: ToolCall) -> int | None:
    """Return the exit code of a command, or ``None`` if the answer does not have it."""
    told = number(structured(call), "exitCode", "returnCode")
    if told is not None or not call.failed:
        return told
    found = _EXIT_CODE.match(answer(call))
    return int(found[1]) if found else None


def output(call: ToolCall) -> tuple[str, str]:
    """Return a command's stdout and stderr. If they are not separate, stdout is the whole answer."""
    told = structured(call)
    if isinstance(told.get("stdout"), str) and not told.get("isImage"):
        return told["stdout"], first_text(told, "stderr")
    return _EXIT_CODE.sub("", answer(call), count=1), ""


def machinery(call: ToolCall) -> list[System]:
    """Return the system events of this call, oldest first."""
    return [stored.event for stored in call.events if isinstance(stored.event, System)]


def as_json(value: object) -> str:
    """Return indented JSON, or the value's ``repr`` if JSON cannot hold it."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def indented(text: str) -> tuple[str, str | None]:
    """Return an answer and its language: indented JSON with "json", or any other text with ``None``."""
    if text[:1] not in "{[" or not text or len(text) > _JSON_LIMIT:
        return text, None
    try:
        return as_json(json.loads(text)), "json"
    except (ValueError, RecursionError):
        return text, None


def is_told(text: str, among: Iterable[str]) -> bool:
    """Whether one of the other texts is equal to this one, ignoring blanks around them."""
    return text.strip() in {other.strip() for other in among}
