"""A frame of Claude Code's stream, as it came: whose it is, and its values where they have the type they should."""

from __future__ import annotations

import math
from typing import Any

Frame = dict[str, Any]


def is_of_main(frame: Frame) -> bool:
    """Whether a frame is the main agent's: one of a sub-agent names the call that started it."""
    return frame.get("parent_tool_use_id") is None


def common_of(frame: Frame, message_id: object) -> dict[str, Any]:
    """What the events of one message share."""
    parent = None if is_of_main(frame) else str(frame["parent_tool_use_id"])
    return {"uuid": text_of(frame.get("uuid")), "message_id": text_of(message_id), "parent": parent}


def blocks_of(content: object) -> list[object]:
    """The blocks of a message, whose content may be one text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise TypeError("a message without blocks")
    return content


def text_of(value: object) -> str | None:
    """The text; nothing where the value is none."""
    return value if isinstance(value, str) else None


def number_of(value: object) -> float:
    """A figure; 0 where it is none, for a turn must end whatever its figures look like."""
    return value if isinstance(value, int | float) and math.isfinite(value) else 0.0
