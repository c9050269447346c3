"""Rows whose calls stand before them: the calls are told by what is read of them, and nothing else moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lulu.model.events import Event, Permission, PermissionDecision, Result, System, Text, ToolResult, ToolUse, User
from lulu.transcript.tool_calls import untold
from lulu.transcript.turns import turns
from tests.samples import stored
from tests.transcript.test_transcript import some_event

BASH = ToolUse(id="a", name="Bash", input={"command": "ls"})
ASKED = Permission(id="p", tool_use_id="a", tool_name="Bash", tool_input={"command": "ls"})
YES = PermissionDecision(id="p", decision="approved", actor="Ann")

#: A log, the place where a page begins, and the calls that it then shows.
CUT: dict[str, tuple[list[Event], int, list[str]]] = {
    "before the answer": ([User(text="1"), BASH, ToolResult(tool_use_id="a"), Result()], 2, ["Bash"]),
    "between a request and its answer": ([BASH, ASKED, YES, ToolResult(tool_use_id="a")], 2, ["Bash"]),
    "before a request": ([BASH, ASKED, YES, ToolResult(tool_use_id="a")], 1, ["Bash"]),
    "between a question of a server and its answer": (
        [Permission(id="q", tool_name="Elicitation", tool_input={}), PermissionDecision(id="q", decision="approved")],
        1,
        ["Elicitation"],
    ),
    "inside a sub-agent": (
        [ToolUse(id="t", name="Agent", input={}), Text(content="x", parent="t"), Text(content="y", parent="t")],
        2,
        ["Agent"],
    ),
    "before a note about a call": (
        [BASH, System(subtype="task_progress", data={"tool_use_id": "a"}), ToolResult(tool_use_id="a")],
        1,
        ["Bash"],
    ),
    "before the answer of a call whose id comes again": (
        [
            ToolUse(id="a", name="Read", input={}),
            BASH,
            ToolResult(tool_use_id="a"),
            ToolUse(id="a", name="Grep", input={}),
        ],
        2,
        ["Bash", "Grep"],
    ),
    "before the answer to one of two agents that use one id": (
        [
            ToolUse(id="a", name="Read", input={}, parent="t"),
            ToolUse(id="a", name="Grep", input={}, parent="u"),
            Text(content="x"),
            ToolResult(tool_use_id="a", parent="t"),
        ],
        3,
        ["", "Read"],
    ),
}


def ids(event: ToolUse | Permission) -> set[str | None]:
    return {event.id, event.tool_use_id} if isinstance(event, Permission) else {event.id}


@pytest.mark.parametrize(("events", "at", "names"), CUT.values(), ids=CUT)
def test_a_call_is_named_wherever_the_page_begins(events: list[Event], at: int, names: list[str]) -> None:
    rows = stored(events)

    named = untold(rows[at:])
    earlier = [row for row in rows[:at] if isinstance(row.event, ToolUse | Permission) and ids(row.event) & named]

    found = turns(rows[at:], earlier=earlier)

    assert [call.name for turn in found for call in turn.calls()] == names


@given(st.lists(some_event, max_size=40), st.integers(0, 40))
def test_earlier_calls_are_not_drawn_and_move_nothing(events: list[Event], at: int) -> None:
    rows = stored(events)

    shown = [row.id for turn in turns(rows[at:], earlier=rows[:at]) for row in turn.events()]

    assert sorted(shown) == [row.id for row in rows[at:]]


@given(st.lists(some_event, max_size=40))
def test_what_no_row_tells_is_untold(events: list[Event]) -> None:
    rows = stored(events)
    told = {row.event.id for row in rows if isinstance(row.event, ToolUse | Permission)}
    asked = {row.event.tool_use_id for row in rows if isinstance(row.event, Permission)}

    nameless = {call.id for turn in turns(rows) for call in turn.calls() if not call.name}

    assert nameless - told - asked <= untold(rows)
