"""Reading a tool call: its arguments, its answer as text, and Claude Code's structured result. Draws nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from lulu.model.events import System
from lulu.transcript.turns import ToolCall

#: How Claude Code begins the answer of a command that failed.
_EXIT_CODE = re.compile(r"Exit code (\d+)(?:\n|$)")
#: How it wraps what it says when a call was not even tried.
_WRAPPED = re.compile(r"<tool_use_error>(.*)</tool_use_error>", re.DOTALL)
#: A longer answer is not looked through for JSON.
_JSON_LIMIT = 200_000


def argument(call: ToolCall, *names: str) -> str:
    """The first of these arguments that is a text; nothing where none is."""
    return first_text(call.input, *names)


def first_text(values: Mapping[str, object], *names: str) -> str:
    """The first of these values that is a text; nothing where none is."""
    return next((value for name in names if isinstance(value := values.get(name), str)), "")


def structured(call: ToolCall) -> Mapping[str, Any]:
    """Claude Code's structured result; empty where there is none."""
    data = call.result.data if call.result else None
    return data if isinstance(data, Mapping) else {}


def number(values: Mapping[str, Any], *names: str) -> int | None:
    """The first of these values that is a whole number."""
    found = (values.get(name) for name in names)
    return next((value for value in found if isinstance(value, int) and not isinstance(value, bool)), None)


def answer_blocks(call: ToolCall) -> list[object]:
    """The blocks of an answer that came as a list of them."""
    content = call.result.content if call.result else None
    return content if isinstance(content, list) else []


def answer(call: ToolCall) -> str:
    """What the tool answered, as text. Blocks that are no text are named."""
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
    """What one of the API's own tools answered: its two outputs, or why it failed; nothing where it is neither."""
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
    """The exit code of a command, where its answer tells it."""
    told = number(structured(call), "exitCode", "returnCode")
    if told is not None or not call.failed:
        return told
    found = _EXIT_CODE.match(answer(call))
    return int(found[1]) if found else None


def output(call: ToolCall) -> tuple[str, str]:
    """What a command wrote to its two outputs; all of the answer as the first one where they were not kept apart."""
    told = structured(call)
    if isinstance(told.get("stdout"), str) and not told.get("isImage"):
        return told["stdout"], first_text(told, "stderr")
    return _EXIT_CODE.sub("", answer(call), count=1), ""


def machinery(call: ToolCall) -> list[System]:
    """What the agent's machinery said about this call, oldest first."""
    return [stored.event for stored in call.events if isinstance(stored.event, System)]


def as_json(value: object) -> str:
    """Indented JSON; what JSON cannot hold is shown as Python shows it."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def indented(text: str) -> tuple[str, str | None]:
    """An answer that is JSON, indented and with its language; any other as it is."""
    if text[:1] not in "{[" or not text or len(text) > _JSON_LIMIT:
        return text, None
    try:
        return as_json(json.loads(text)), "json"
    except (ValueError, RecursionError):
        return text, None


def is_told(text: str, among: Iterable[str]) -> bool:
    """Whether this text stands among others already, whatever blanks are around it."""
    return text.strip() in {other.strip() for other in among}
