"""Read a frame of Claude Code's stream: its agent, and its values if they have the expected type."""

from __future__ import annotations

import math
from typing import Any

Frame = dict[str, Any]


def is_of_main(frame: Frame) -> bool:
    """Whether a frame is the main agent's. A sub-agent's frame has the id of the call that started it."""
    return frame.get("parent_tool_use_id") is None


def common_of(frame: Frame, message_id: object) -> dict[str, Any]:
    """Return the fields that the events of one message share."""
    parent = None if is_of_main(frame) else str(frame["parent_tool_use_id"])
    return {"uuid": text_of(frame.get("uuid")), "message_id": text_of(message_id), "parent": parent}


def blocks_of(content: object) -> list[object]:
    """Return the blocks of a message. Its content may also be a single text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise TypeError("a message without blocks")
    return content


def text_of(value: object) -> str | None:
    """Return the value if it is a string, or else ``None``."""
    return value if isinstance(value, str) else None


def number_of(value: object) -> float:
    """Return the value if it is a finite number, or else 0, because a turn must end with any figures."""
    return value if isinstance(value, int | float) and math.isfinite(value) else 0.0
