"""Samples: at least one of every event type, in the shapes that Claude Code writes. Tests loop over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lulu.model.events import (
    Error,
    Event,
    EventId,
    Permission,
    PermissionDecision,
    Result,
    StoredEvent,
    System,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Unknown,
    User,
    encode,
)

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

#: Text that a page must show as it stands, and obey nowhere.
HOSTILE = (
    "a\nb ![x](http://evil.example/p.png) [y](javascript:alert(1)) :red[no] $x^2$ <b>bold</b> `c` \x00 \ud800 \x1b[31m"
)

#: For each event type, its samples.
EVENTS: dict[str, list[Event]] = {
    "user": [User(text="Fix the bug in billing/invoice.py", actor="this computer"), User(text=HOSTILE)],
    "text": [
        Text(content="Done. `total()` rounds **once**:\n\n```python\nreturn net + tax\n```", message_id="msg_1"),
        Text(content=HOSTILE, partial=True),
        Text(content="word " * 10_000),
    ],
    "thinking": [Thinking(content="The tax is rounded for each line."), Thinking(content=HOSTILE)],
    "tool_use": [
        ToolUse(id="toolu_bash", name="Bash", input={"command": "npm test", "description": "Run the tests"}),
        ToolUse(id="toolu_hostile", name=HOSTILE, input={HOSTILE: HOSTILE, "nested": {"deep": [1, None, True]}}),
        ToolUse(id="toolu_wrong", name="Edit", input={"file_path": 7, "old_string": None, "edits": ["x", {}]}),
    ],
    "tool_result": [
        ToolResult(tool_use_id="toolu_bash", content="14 passed", data={"stdout": "14 passed", "stderr": ""}),
        ToolResult(tool_use_id="toolu_a", content=[{"type": "text", "text": "one"}, {"type": "image"}, 7]),
        ToolResult(tool_use_id="toolu_b", content="Error: no such file", is_error=True, data="Error: no such file"),
        ToolResult(tool_use_id="toolu_c"),
    ],
    "system": [
        System(subtype="model_set", data={"model": "claude-opus-5-5"}),
        System(subtype="retry", data={"attempt": 3, "max_retries": 10}),
        System(subtype=HOSTILE),
    ],
    "permission": [
        Permission(id="ask_1", tool_use_id="toolu_ask", tool_name="Bash", tool_input={"command": "rm -r build"}),
        Permission(id="ask_2", tool_name="Write", tool_input={}, reason="Path is outside the working directory"),
    ],
    "permission_decision": [
        PermissionDecision(id="ask_1", decision="denied", message="Not that folder", actor="this computer"),
        PermissionDecision(id="ask_3", decision="expired"),
    ],
    "result": [
        Result(
            session_id="c1",
            duration_ms=12_345,
            cost_usd=0.0123,
            total_cost_usd=0.5,
            num_turns=3,
            subtype="success",
            terminal_reason="completed",
            usage={"input_tokens": 1200, "output_tokens": 300, "service_tier": "standard"},
        ),
        Result(is_error=True, subtype="error_during_execution", terminal_reason="aborted_tools"),
        Result(is_error=True, subtype="success", terminal_reason="api_error", result="API Error: 529 overloaded"),
        Result(),
    ],
    "error": [
        Error(message="The agent process ended.", code="exit 1", detail="Traceback\n  …"),
        Error(message=HOSTILE),
    ],
}

#: What this version cannot read: a type of another version, and payloads that do not fit their type.
UNKNOWN: list[Unknown] = [
    Unknown(event_type="hologram", raw='{"depth": 3}'),
    Unknown(event_type="user", raw="{not json"),
    # A column holds no lone surrogate.
    Unknown(event_type=HOSTILE.replace("\ud800", ""), raw=HOSTILE.replace("\ud800", "")),
]


def stored(events: list[Event], *, first: int = 1, session_id: str = "s") -> list[StoredEvent]:
    """The events as rows, one second apart."""
    return [
        StoredEvent(
            id=EventId(first + index),
            session_id=session_id,
            event=event,
            created_at=START + timedelta(seconds=index),
            raw=encode(event)[1],
        )
        for index, event in enumerate(events)
    ]
