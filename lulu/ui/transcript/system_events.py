"""Texts for ``system`` events: one line in words; the data is in an expander."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from lulu.model.events import Event, System
from lulu.text.labels import safe_label
from lulu.transcript.tool_results import first_text, number
from lulu.ui import formats

Data = Mapping[str, Any]

#: Each process of the agent reports these at its start. They are in the session's menu, not in the transcript.
STARTED_WITH = frozenset({"init", "commands_changed"})

#: The texts of system subtypes. An unknown subtype is shown by its own name.
LINES: dict[str, str] = {
    "status": "Status",
    "note": "Note for the agent",
    "informational": "Notice",
    "permission_denied": "Not allowed",
    "compact": "Conversation compacted",
    "compact_boundary": "Conversation compacted",
    "conversation_reset": "New conversation started",
    "retry": "Asking the API again",
    "api_retry": "Asking the API again",
    "rate_limit": "Rate limit",
    "task_started": "Task started",
    "task_progress": "Task running",
    "task_updated": "Task changed",
    "task_notification": "Task ended",
    "background_tasks_changed": "Tasks in the background",
    "hook_started": "Hook started",
    "hook_response": "Hook answered",
    "forked": "Forked from another session",
    "fork": "A fork was made here",
    "lulu_stopped": "Lulu was stopped here",
    "conversation_lost": "The agent has lost the conversation above",
    "conversation_partly_lost": "The agent has lost part of the conversation above: its session file is damaged",
    "stopped": "Stopped",
    "model_set": "Model changed",
    "background_stopped": "Ended with the agent's process, before it was done",
    "stalled": "No output for a while",
    "redacted_thinking": "Thinking that the API does not show",
    "fallback": "Another model answers",
    "container_upload": "A file in the agent's container",
    "image": "Picture",
    "unknown": "Unknown message",
}


def is_drawn(event: Event) -> bool:
    """Whether the transcript draws this event."""
    return not (isinstance(event, System) and event.parent is None and event.subtype in STARTED_WITH)


def line(event: System) -> str:
    """Return what happened, with the most useful figures. Safe in a label."""
    known = LINES.get(event.subtype)
    what = known or safe_label(event.subtype.replace("_", " ")) or "system"
    detail = _DETAILS.get(event.subtype)
    return formats.line(what, detail(event.data or {}) if detail else "")


def retried(last: Event, times: int) -> str:
    """Return the line for several tries in a row; ``last`` is the event of the last one."""
    data = (last.data if isinstance(last, System) else None) or {}
    status = number(data, "error_status")
    return formats.line(f"Asked the API again {times} ×", f"HTTP {status}" if status else "")


def text_of(event: System) -> str:
    """Return the text of a note or a notice; empty for other events."""
    return first_text(event.data or {}, "text", "content", "message") if event.subtype in _TEXTS else ""


_TEXTS = ("note", "informational")


def _retry(data: Data) -> str:
    attempt, most = number(data, "attempt"), number(data, "max_retries")
    delay, status = data.get("retry_delay_ms"), number(data, "error_status")
    return formats.line(
        f"attempt {attempt} of {most}" if attempt and most else "",
        f"in {formats.duration(delay)}" if isinstance(delay, int | float) else "",
        f"HTTP {status}" if status else "",
    )


def _rate_limit(data: Data) -> str:
    resets = number(data, "resets_at", "resetsAt")
    return formats.line(
        safe_label(first_text(data, "status").replace("_", " ")),
        f"until {formats.clock(datetime.fromtimestamp(resets, UTC))}" if resets and 0 < resets < 10**11 else "",
    )


def _compact(data: Data) -> str:
    figures = data.get("compact_metadata")
    tokens = number(figures, "pre_tokens") if isinstance(figures, Mapping) else None
    return f"{tokens / 1000:.0f}k tokens before" if tokens else ""


def _status(data: Data) -> str:
    if data.get("compact_result") == "failed":
        return f":orange[compaction failed] {safe_label(first_text(data, 'compact_error'), 200)}".rstrip()
    if data.get("compact_result") == "success":
        return "compacted"
    mode = first_text(data, "permissionMode")
    return formats.mode(mode) if mode else safe_label(first_text(data, "status"))


def _task(data: Data) -> str:
    return safe_label(first_text(data, "summary", "description", "status"))


def _note(data: Data) -> str:
    origin = data.get("origin")
    if isinstance(origin, Mapping) and origin.get("kind") == "task-notification":
        return "report of a task in the background"
    return safe_label(first_text(data, "text", "content", "message"))


def _tasks(data: Data) -> str:
    tasks = data.get("tasks")
    return (formats.plural(len(tasks), "task") if tasks else "none") if isinstance(tasks, list) else ""


def _named_tasks(data: Data) -> str:
    """Return the descriptions of the tasks in one line."""
    tasks = data.get("tasks")
    listed = [task for task in tasks if isinstance(task, Mapping)] if isinstance(tasks, list) else []
    return safe_label(", ".join(first_text(task, "description", "task_id") for task in listed), 200)


def _forgotten(data: Data) -> str:
    turns = number(data, "turns")
    if not turns:
        return "a prompt or a result is missing"
    if data.get("last"):
        return f"the last {turns} turns are missing" if turns > 1 else "the last turn is missing"
    return f"answers of {formats.plural(turns, 'turn')} are missing"


def _silent(data: Data) -> str:
    seconds = data.get("seconds")
    return formats.duration(seconds * 1000) if isinstance(seconds, int | float) else ""


def _fallback(data: Data) -> str:
    to = data.get("to")
    return safe_label(first_text(to, "model")) if isinstance(to, Mapping) else ""


#: Functions for the figures of a subtype, from its data.
_DETAILS: dict[str, Callable[[Data], str]] = {
    "status": _status,
    "note": _note,
    "informational": _note,
    "permission_denied": lambda data: safe_label(first_text(data, "tool_name", "message")),
    "conversation_lost": lambda data: safe_label(first_text(data, "reason"), 200),
    "conversation_partly_lost": _forgotten,
    "compact": _compact,
    "compact_boundary": _compact,
    "retry": _retry,
    "api_retry": _retry,
    "rate_limit": _rate_limit,
    "task_started": _task,
    "task_progress": _task,
    "task_updated": lambda data: (
        safe_label(first_text(data.get("patch") or {}, "status")) if isinstance(data.get("patch"), Mapping) else ""
    ),
    "task_notification": _task,
    "background_tasks_changed": _tasks,
    "background_stopped": _named_tasks,
    "model_set": lambda data: safe_label(first_text(data, "model")) or "the default",
    "hook_started": lambda data: safe_label(first_text(data, "hook_name", "hook_event", "hook_event_name")),
    "hook_response": lambda data: safe_label(first_text(data, "hook_name", "hook_event", "hook_event_name")),
    "stalled": _silent,
    "fallback": _fallback,
    "unknown": lambda data: formats.code(first_text(data, "type", "subtype"), 40),
}
