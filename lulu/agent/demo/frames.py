"""Build the CLI's frames as plain dicts. Forms and order as in Claude Code 2.1.330.

A frame's ``uuid`` and ``session_id`` are added when it is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

Frame = dict[str, Any]

#: Texts in the person's name after an interrupt.
INTERRUPTED = "[Request interrupted by user]"
INTERRUPTED_TOOL = "[Request interrupted by user for tool use]"
#: The result of a call that an interrupt refused, and the addition for one that was already running.
REJECTED = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit, "
    "the new_string was NOT written to the file). STOP what you are doing and wait for the user to tell you how "
    "to proceed."
)
STOPPED_WHILE_RUNNING = " Correction to the text above: this call was stopped while running, not refused before it ran."

TOOLS = (
    "Agent",
    "AskUserQuestion",
    "Bash",
    "Edit",
    "ExitPlanMode",
    "Read",
    "TaskCreate",
    "TaskUpdate",
    "TodoWrite",
    "WebFetch",
    "WebSearch",
    "Write",
)
SLASH_COMMANDS = ("clear", "compact", "context", "cost", "help", "model")


def new_uuid() -> str:
    """Return a new uuid. Every frame has one."""
    return str(uuid.uuid4())


def new_id(prefix: str) -> str:
    """Return a new id in the API's form: ``msg_…``, ``toolu_…``."""
    return f"{prefix}_{uuid.uuid4().hex[:24]}"


def session_state(state: str) -> Frame:
    """Build the frame for ``running``, ``requires_action`` or ``idle``."""
    return {"type": "system", "subtype": "session_state_changed", "state": state}


def init(*, cwd: str, model: str, permission_mode: str) -> Frame:
    """Build the frame that starts every turn."""
    return {
        "type": "system",
        "subtype": "init",
        "cwd": cwd,
        "tools": list(TOOLS),
        "mcp_servers": [],
        "model": model,
        "permissionMode": permission_mode,
        "slash_commands": list(SLASH_COMMANDS),
        "apiKeySource": "none",
        "claude_code_version": "demo",
        "output_style": "default",
        "agents": ["Explore", "general-purpose", "Plan"],
        "skills": [],
        "plugins": [],
        "capabilities": ["interrupt_receipt_v1"],
    }


def status(value: str | None, **extra: Any) -> Frame:
    """Build a status frame: ``requesting`` before a model call, ``compacting``, or ``None`` with a change."""
    return {"type": "system", "subtype": "status", "status": value, **extra}


def system(subtype: str, **data: Any) -> Frame:
    """Build any other system frame."""
    return {"type": "system", "subtype": subtype, **data}


def stream(event: Mapping[str, Any]) -> Frame:
    """Build a frame with one raw event of the API's stream, as for ``include_partial_messages``."""
    return {"type": "stream_event", "event": dict(event), "parent_tool_use_id": None}


def message_start(*, message_id: str, model: str, usage: Mapping[str, Any]) -> Frame:
    """Build the start of a model's message. Later blocks belong to it by ``message_id``."""
    message = _message(message_id, model, [], usage)
    return stream({"type": "message_start", "message": message})


def block_start(index: int, block: Mapping[str, Any]) -> Frame:
    """Build the start of an empty block."""
    return stream({"type": "content_block_start", "index": index, "content_block": dict(block)})


def block_delta(index: int, delta: Mapping[str, Any]) -> Frame:
    """Build a piece of a block."""
    return stream({"type": "content_block_delta", "index": index, "delta": dict(delta)})


def block_stop(index: int) -> Frame:
    """Build the end of a block. The block's assistant frame comes before it."""
    return stream({"type": "content_block_stop", "index": index})


def message_delta(*, stop_reason: str | None, usage: Mapping[str, Any]) -> Frame:
    """Build the frame with the stop reason and the tokens of a message."""
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return stream({"type": "message_delta", "delta": delta, "usage": dict(usage)})


def message_stop() -> Frame:
    """Build the end of a message."""
    return stream({"type": "message_stop"})


def assistant(
    block: Mapping[str, Any],
    *,
    message_id: str,
    model: str,
    usage: Mapping[str, Any],
    parent: str | None = None,
    **extra: Any,
) -> Frame:
    """Build the frame of one finished block. ``parent``: the ``Agent`` call of its sub-agent."""
    message = _message(message_id, model, [dict(block)], usage)
    return {"type": "assistant", "message": message, "parent_tool_use_id": parent, **extra}


def synthetic(text: str, **extra: Any) -> Frame:
    """Build a message of Claude Code itself, not of a model: slash commands and API errors."""
    usage = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    block = {"type": "text", "text": text}
    return assistant(block, message_id=new_uuid(), model="<synthetic>", usage=usage, **extra)


def user_text(text: str, *, parent: str | None = None, **extra: Any) -> Frame:
    """Build a text in the person's name that Claude Code adds by itself."""
    message = {"role": "user", "content": [{"type": "text", "text": text}]}
    return {"type": "user", "message": message, "parent_tool_use_id": parent, **extra}


def tool_result(
    tool_use_id: str, content: Any, *, is_error: bool = False, data: Any = None, parent: str | None = None
) -> Frame:
    """Build a tool's answer. ``content``: for the model; ``data``: structured, not in sub-agents."""
    block = {"type": "tool_result", "tool_use_id": tool_use_id, "content": content, "is_error": is_error}
    frame: Frame = {
        "type": "user",
        "message": {"role": "user", "content": [block]},
        "parent_tool_use_id": parent,
    }
    return frame if data is None or parent else {**frame, "tool_use_result": data}


def rejected(tool_use_id: str, *, was_running: bool) -> Frame:
    """Build the result of a call that an interrupt refused or stopped."""
    content = REJECTED + STOPPED_WHILE_RUNNING if was_running else REJECTED
    return tool_result(tool_use_id, content, is_error=True, data="User rejected tool use")


def control_response(request_id: str, response: Mapping[str, Any]) -> Frame:
    """Build the answer to a control request of the SDK."""
    inner = {"subtype": "success", "request_id": request_id, "response": dict(response)}
    return {"type": "control_response", "response": inner}


def control_error(request_id: str, error: str) -> Frame:
    """Build the refusal of a control request of the SDK."""
    return {"type": "control_response", "response": {"subtype": "error", "request_id": request_id, "error": error}}


def control_request(request_id: str, request: Mapping[str, Any]) -> Frame:
    """Build a question to the SDK: ``can_use_tool`` or ``hook_callback``."""
    return {"type": "control_request", "request_id": request_id, "request": dict(request)}


def control_cancel(request_id: str) -> Frame:
    """Build the withdrawal of a question to the SDK."""
    return {"type": "control_cancel_request", "request_id": request_id}


def _message(
    message_id: str, model: str, content: Sequence[Mapping[str, Any]], usage: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(content),
        "stop_reason": None,
        "stop_sequence": None,
        "usage": dict(usage),
    }
