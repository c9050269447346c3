"""Clocks count the work; how long a person was waited for is told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lulu.model.events import Event, EventId, Permission, PermissionDecision, StoredEvent, ToolResult, ToolUse, User
from lulu.model.sessions import SessionStatus
from lulu.transcript.activity import activity
from lulu.transcript.turns import Run, ToolCall, runs, turns
from lulu.transcript.waits import total
from lulu.ui.tools import line
from tests.transcript.test_activity import session

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def log(*told: tuple[float, Event]) -> list[StoredEvent]:
    return [
        StoredEvent(id=EventId(number), session_id="s", event=event, created_at=at(seconds), raw="{}")
        for number, (seconds, event) in enumerate(told, start=1)
    ]


def use(call: str, parent: str | None = None) -> ToolUse:
    return ToolUse(id=call, name="Task" if call == "task" else "Bash", input={"command": "pytest"}, parent=parent)


def asks(call: str) -> Permission:
    return Permission(id=f"of {call}", tool_use_id=call, tool_name="Bash", tool_input={})


def answered(call: str, decision: str = "approved") -> PermissionDecision:
    return PermissionDecision(id=f"of {call}", decision=decision, actor="this computer")


def done(call: str, parent: str | None = None) -> ToolResult:
    return ToolResult(tool_use_id=call, content="x", parent=parent)


@pytest.mark.parametrize(
    ("waits", "seconds"),
    [
        ([], 0),
        ([(10, 20)], 10),
        ([(10, 20), (15, 40)], 30),
        ([(10, 20), (12, 13)], 10),
        ([(10, 20), (30, 50)], 30),
        ([(-50, 10), (90, 200)], 20),
        ([(-50, -10), (200, 300)], 0),
    ],
)
def test_what_overlaps_counts_once(waits: list[tuple[float, float]], seconds: float) -> None:
    found = [(at(begin), at(end)) for begin, end in waits]

    assert total(found[::-1], START, at(100)).total_seconds() == seconds


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([(0, use("b")), (1, asks("b")), (781, answered("b")), (791, done("b"))], "11 s · waited 13 min"),
        ([(0, use("b")), (1, asks("b")), (1.2, answered("b")), (11, done("b"))], "11 s"),
        ([(0, use("b")), (11, done("b"))], "11 s"),
        # A sub-agent's request is not its agent's own work.
        (
            [
                *((0, use("task")), (1, use("b", "task")), (2, asks("b")), (62, answered("b"))),
                *((64, done("b", "task")), (70, done("task"))),
            ],
            "10 s · waited 1 min",
        ),
    ],
)
def test_a_finished_call_tells_both(told: list[tuple[float, Event]], words: str) -> None:
    [turn] = turns(log((0, User(text="go")), *told))
    call = turn.items[0]

    assert isinstance(call, ToolCall)
    assert line.outcome(call, live=False).endswith(words)


def test_a_row_of_calls_tells_both() -> None:
    first = ((0, use("a")), (1, asks("a")), (61, answered("a")), (63, done("a")))
    second = ((64, use("b")), (65, asks("b")), (125, answered("b", "denied")), (126, done("b")))
    [turn] = turns(log((0, User(text="go")), *first, *second))
    [row] = runs(turn.items)

    assert isinstance(row, Run)
    assert "6.0 s · waited 2 min" in line.run_label(row)


@pytest.mark.parametrize("call", ["b", "task"])
def test_the_clock_of_a_call_at_work_begins_with_the_answer(call: str) -> None:
    mine = [(0, use("task")), (1, use("b", "task"))] if call == "task" else [(1, use("b"))]
    rows = log((0, User(text="go")), *mine, (2, asks("b")), (782, answered("b")))

    found = activity(session(SessionStatus.RUNNING), rows)

    assert found is not None
    assert found.kind == "tool"
    assert found.waited.total_seconds() == 780
    assert found.since == rows[1].created_at + found.waited


def test_a_call_beside_one_that_waited_counts_from_its_own_beginning() -> None:
    rows = log((0, User(text="go")), (1, use("a")), (2, use("b")), (3, asks("b")), (783, answered("b")))

    found = activity(session(SessionStatus.RUNNING), rows)

    assert found is not None
    assert (found.since, found.waited.total_seconds()) == (rows[1].created_at, 0)
