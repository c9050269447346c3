"""Providers that use the ids of calls again: each call stands in the turn in which it was made, with its own answer."""

from __future__ import annotations

import pytest

from lulu.model.events import Event, Permission, PermissionDecision, Result, Text, ToolResult, ToolUse, User
from lulu.transcript.turns import ToolCall, settled_until, turns
from tests.samples import stored


def bash(command: str, call: str = "call_0", parent: str | None = None) -> ToolUse:
    return ToolUse(id=call, name="Bash", input={"command": command}, parent=parent)


def out(words: str, call: str = "call_0", parent: str | None = None) -> ToolResult:
    return ToolResult(tool_use_id=call, content=words, parent=parent)


def asked(request: str, call: str = "call_0") -> list[Event]:
    ask = Permission(id=request, tool_use_id=call, tool_name="Bash", tool_input={})
    return [ask, PermissionDecision(id=request, decision="denied", message=request)]


AGENT = ToolUse(id="call_0", name="Agent", input={"prompt": "look"})

#: Logs of providers that use an id again, and what each turn then shows: its calls with their answers and decisions.
REUSED: dict[str, tuple[list[Event], list[list[str]]]] = {
    "in every turn": (
        [User(text="1"), bash("one"), out("1"), Result(), User(text="2"), bash("two"), out("2"), Result()],
        [["one 1"], ["two 2"]],
    ),
    "in every message of a turn": (
        [User(text="1"), bash("one"), out("1"), bash("two"), out("2"), bash("three"), Result()],
        [["one 1", "two 2", "three -"]],
    ),
    "after a call that was never answered": (
        [User(text="1"), bash("one"), Result(), User(text="2"), bash("two"), out("2")],
        [["one -"], ["two 2"]],
    ),
    "with a request each": (
        [User(text="1"), bash("one"), *asked("p1"), out("1"), User(text="2"), bash("two"), *asked("p2"), out("2")],
        [["one 1 p1"], ["two 2 p2"]],
    ),
    "with the request before the call": (
        [User(text="1"), bash("one"), out("1"), User(text="2"), *asked("p2"), bash("two"), out("2")],
        [["one 1"], ["two 2 p2"]],
    ),
    "by a sub-agent, as its own parent's": (
        [User(text="1"), AGENT, bash("one", parent="call_0"), out("1", parent="call_0"), out("report")],
        [["Agent report", "one 1"]],
    ),
    "by two sub-agents at once": (
        [
            User(text="1"),
            ToolUse(id="a", name="Agent", input={}),
            ToolUse(id="b", name="Agent", input={}),
            bash("one", parent="a"),
            bash("two", parent="b"),
            out("1", parent="a"),
            out("2", parent="b"),
        ],
        [["Agent -", "one 1", "Agent -", "two 2"]],
    ),
    "by a sub-agent that outlives its turn": (
        [
            User(text="1"),
            AGENT,
            out("launched"),
            Result(),
            User(text="2"),
            bash("two"),
            bash("one", call="call_1", parent="call_0"),
            out("2"),
            out("1", call="call_1", parent="call_0"),
        ],
        [["Agent launched", "one 1"], ["two 2"]],
    ),
    "where the first call is not in view": (
        [out("1"), Result(), User(text="2"), bash("two"), out("2")],
        [[" 1"], ["two 2"]],
    ),
}


@pytest.mark.parametrize(("events", "shown"), REUSED.values(), ids=REUSED)
def test_a_call_belongs_to_the_turn_in_which_it_was_made_whatever_its_id(
    events: list[Event], shown: list[list[str]]
) -> None:
    found = turns(stored(events))

    assert [[_told(call) for call in turn.calls()] for turn in found] == shown


def _told(call: ToolCall) -> str:
    parts = [
        str(call.input.get("command") or call.name),
        str(call.result.content) if call.result else "-",
        (call.decision.message or "") if call.decision else "",
    ]
    return " ".join(parts).rstrip()


def test_a_turn_is_not_torn_where_two_agents_use_one_id() -> None:
    rows = stored([User(text="x"), AGENT, bash("one", parent="call_0"), out("1", parent="call_0"), Text(content="…")])

    assert settled_until(rows, live=True, keep=1) == 1
