"""Rows become turns: paired by id, nothing left out, in any order and from any subset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lulu.agent.demo import frames
from lulu.model.events import (
    Error,
    Event,
    Permission,
    PermissionDecision,
    Result,
    System,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Unknown,
    User,
)
from lulu.transcript.turns import (
    MAX_DEPTH,
    Item,
    Note,
    Retries,
    Run,
    ToolCall,
    Turn,
    runs,
    settled_until,
    totals,
    turns,
)
from lulu.transcript.waits import Spent
from tests.samples import stored


def test_turns_of_nothing_is_nothing() -> None:
    assert turns([]) == []


def test_a_turn_is_a_prompt_and_what_follows_it() -> None:
    rows = stored([User(text="one"), Text(content="1"), Result(), User(text="two"), Thinking(content="…")])

    first, second = turns(rows)

    assert (first.prompt, first.result) == (rows[0], rows[2])
    assert first.items == (Note(stored=rows[1]),)
    assert first.is_over
    assert (second.prompt, second.items, second.is_over) == (rows[3], (Note(stored=rows[4]),), False)
    assert (first.key, second.key) == (1, 4)


def test_a_call_is_paired_with_its_result_permission_and_decision() -> None:
    use = ToolUse(id="t", name="Bash", input={"command": "ls"})
    ask = Permission(id="p", tool_use_id="t", tool_name="Bash", tool_input={})
    answer = PermissionDecision(id="p", decision="approved")
    result = ToolResult(tool_use_id="t", content="a.py")

    call = only_call(turns(stored([User(text="x"), use, ask, answer, result])))

    assert (call.use, call.permission, call.decision, call.result) == (use, ask, answer, result)
    assert (call.name, call.input, call.spent) == ("Bash", {"command": "ls"}, Spent(seconds=2, waited=1))
    assert (call.is_waiting, call.failed, call.is_denied) == (False, False, False)


def test_calls_in_parallel_keep_their_own_results_in_the_order_of_the_calls() -> None:
    rows = [
        ToolUse(id="a", name="Read", input={}),
        ToolUse(id="b", name="Grep", input={}),
        ToolResult(tool_use_id="b", content="B"),
        ToolResult(tool_use_id="a", content="A"),
    ]

    (turn,) = turns(stored(list(rows)))

    assert [(call.name, call.result and call.result.content) for call in turn.calls()] == [("Read", "A"), ("Grep", "B")]


def test_a_request_without_an_answer_waits() -> None:
    ask = Permission(id="p", tool_name="Write", tool_input={"file_path": "a"})

    call = only_call(turns(stored([User(text="x"), ask])))

    assert call.is_waiting
    assert (call.id, call.name, call.input) == ("p", "Write", {"file_path": "a"})


def test_a_denied_call_is_denied_and_not_failed() -> None:
    rows: list[Event] = [
        ToolUse(id="t", name="Bash", input={}),
        Permission(id="p", tool_use_id="t", tool_name="Bash", tool_input={}),
        PermissionDecision(id="p", decision="denied", message="no"),
        ToolResult(tool_use_id="t", content="no", is_error=True),
    ]

    call = only_call(turns(stored(rows)))

    assert call.is_denied
    assert not call.failed


@pytest.mark.parametrize("decision", ["approved", "cancelled", None])
def test_a_call_that_a_stop_cut_off_is_stopped_and_not_failed(decision: str | None) -> None:
    said = frames.REJECTED + (frames.STOPPED_WHILE_RUNNING if decision == "approved" else "")
    answer = [PermissionDecision(id="p", decision=decision, actor="Lulu")] if decision else []
    rows: list[Event] = [
        ToolUse(id="t", name="Bash", input={}),
        Permission(id="p", tool_use_id="t", tool_name="Bash", tool_input={}),
        *answer,
        ToolResult(tool_use_id="t", content=said, is_error=True),
    ]

    call = only_call(turns(stored(rows)))

    assert call.is_stopped
    assert not call.failed


def test_sub_agent_events_stand_in_the_thread_of_their_call() -> None:
    rows = stored(
        [
            User(text="x"),
            ToolUse(id="task", name="Task", input={}),
            User(text="look around", parent="task"),
            ToolUse(id="inner", name="Read", input={}, parent="task"),
            ToolResult(tool_use_id="inner", content="…", parent="task"),
            Text(content="found it", parent="task"),
            ToolResult(tool_use_id="task", content="done"),
        ]
    )

    (turn,) = turns(rows)
    (task,) = turn.items

    assert isinstance(task, ToolCall)
    prompt, inner, text = task.thread
    assert (prompt, text) == (Note(stored=rows[2]), Note(stored=rows[5]))
    assert isinstance(inner, ToolCall)
    assert inner.result is not None
    assert [call.name for call in turn.calls()] == ["Task", "Read"]


def test_late_sub_agent_events_find_a_call_of_an_earlier_turn() -> None:
    rows = stored(
        [
            User(text="x"),
            ToolUse(id="task", name="Agent", input={}),
            Result(),
            User(text="y"),
            Text(content="in the background", parent="task"),
        ]
    )

    first, second = turns(rows)

    assert first.items[0] == only_call([first])
    assert only_call([first]).thread == (Note(stored=rows[4]),)
    assert second.items == ()


def test_after_a_result_an_unasked_turn_begins_but_not_for_quiet_events() -> None:
    quiet: list[Event] = [System(subtype="state"), Error(message="gone")]
    rows = stored([User(text="x"), Result(), *quiet, Text(content="the task is done"), Result()])

    first, second = turns(rows)

    assert [note.type for note in first.events()] == ["user", "system", "error", "result"]
    assert second.prompt is None
    assert second.result == rows[5]


def test_rows_that_begin_in_the_middle_are_all_shown() -> None:
    rows = stored([ToolResult(tool_use_id="lost", content="x"), Text(content="and so"), Result()])

    (turn,) = turns(rows)

    assert turn.prompt is None
    call = only_call([turn])
    assert (call.use, call.name, call.input, call.spent) == (None, "", {}, None)


def test_sub_agents_deeper_than_the_limit_stand_on_the_last_level() -> None:
    chain: list[Event] = [
        ToolUse(id=f"t{level}", name="Task", input={}, parent=f"t{level - 1}" if level else None) for level in range(50)
    ]

    transcript = turns(stored(chain))

    assert depth(transcript[0].items) == MAX_DEPTH + 1
    assert len(list(transcript[0].calls())) == 50


def test_totals_add_up_turns() -> None:
    rows: list[Event] = [
        User(text="x"),
        ToolUse(id="a", name="Bash", input={}),
        ToolResult(tool_use_id="a", is_error=True),
        Result(cost_usd=0.5, duration_ms=1000),
        User(text="y"),
        Result(cost_usd=0.25, duration_ms=500),
    ]

    summed = totals(turns(stored(rows)))

    assert (summed.turns, summed.tool_calls, summed.failures) == (2, 1, 1)
    assert (summed.cost_usd, summed.duration_ms) == (0.75, 1500)


def test_everything_is_settled_when_nobody_works() -> None:
    rows = stored([User(text="x"), Text(content="1")], first=7)

    assert settled_until(rows, live=False, keep=40) == 8
    assert settled_until([], live=True, keep=40) == 0


def test_the_open_turn_begins_with_its_prompt() -> None:
    rows = stored([User(text="x"), Result(), User(text="y"), User(text="sub", parent="t"), Text(content="1")], first=7)

    assert settled_until(rows, live=True, keep=40) == 8


def test_after_a_result_the_next_events_are_the_open_turn() -> None:
    rows = stored([User(text="x"), Result(), Text(content="by itself")], first=7)

    assert settled_until(rows, live=True, keep=40) == 8


def test_a_first_turn_is_open_as_a_whole() -> None:
    assert settled_until(stored([User(text="x"), Text(content="1")], first=7), live=True, keep=40) == 6


def test_a_long_turn_settles_up_to_where_no_call_lies_open() -> None:
    rows: list[Event] = [User(text="x")]
    for number in range(20):
        rows += [ToolUse(id=f"t{number}", name="Read", input={}), ToolResult(tool_use_id=f"t{number}")]
    open_call: list[Event] = [ToolUse(id="open", name="Bash", input={}), *(Text(content="…") for _ in range(6))]

    assert settled_until(stored([*rows, *open_call]), live=True, keep=10) == 37
    assert settled_until(stored([*rows, *open_call]), live=True, keep=3) == len(rows)


ids = st.sampled_from(["a", "b", "c", "d"])
parents = st.none() | ids
some_event = st.one_of(
    st.builds(User, text=st.just("x"), parent=parents),
    st.builds(Text, content=st.just("x"), parent=parents),
    st.builds(ToolUse, id=ids, name=st.just("Bash"), input=st.just({}), parent=parents),
    st.builds(ToolResult, tool_use_id=ids, is_error=st.booleans(), parent=parents),
    st.builds(Permission, id=ids, tool_use_id=parents, tool_name=st.just("Bash"), tool_input=st.just({})),
    st.builds(PermissionDecision, id=ids, decision=st.sampled_from(["approved", "denied", "expired"])),
    st.builds(Result, parent=parents),
    st.builds(System, subtype=st.just("state")),
    st.builds(Unknown, event_type=st.just("new"), raw=st.just("{}")),
)


@given(st.lists(some_event, max_size=40))
def test_any_rows_are_each_shown_exactly_once(events: list[Event]) -> None:
    rows = stored(events)

    transcript = turns(rows)

    shown = [row for turn in transcript for row in turn.events()]
    assert sorted(row.id for row in shown) == [row.id for row in rows]
    keys = [call.key for turn in transcript for call in turn.calls()]
    assert len(set(keys)) == len(keys)


@given(st.lists(some_event, max_size=40), st.integers(0, 10))
def test_what_is_settled_never_passes_the_rows(events: list[Event], keep: int) -> None:
    rows = stored(events, first=7)

    settled = settled_until(rows, live=True, keep=keep)

    assert settled == 0 if not rows else 6 <= settled <= rows[-1].id


def only_call(transcript: list[Turn]) -> ToolCall:
    (call,) = [item for turn in transcript for item in turn.items if isinstance(item, ToolCall)]
    return call


def depth(items: tuple[Item, ...]) -> int:
    return 1 + max((depth(item.thread) for item in items if isinstance(item, ToolCall)), default=-1)


def calls(*names: str, failed: bool = False) -> list[Event]:
    return [
        event
        for number, name in enumerate(names)
        for event in (
            ToolUse(id=f"{name}{number}", name=name, input={}),
            ToolResult(tool_use_id=f"{name}{number}", content="", is_error=failed),
        )
    ]


def test_calls_in_a_row_become_one_run_with_their_counts() -> None:
    (turn,) = turns(stored([User(text="x"), *calls("Read", "Read", "Edit", "Read"), Text(content="done")]))

    run, text = runs(turn.items)

    assert isinstance(run, Run)
    assert isinstance(text, Note)
    assert run.counts == {"Read": 3, "Edit": 1}
    assert run.failures == {}
    assert run.spent is not None
    assert run.spent.seconds == 7


def test_a_run_names_its_failures() -> None:
    (turn,) = turns(stored([User(text="x"), *calls("Read"), *calls("Bash", "Bash", failed=True)]))

    (run,) = runs(turn.items)

    assert isinstance(run, Run)
    assert (run.counts, run.failures) == ({"Read": 1, "Bash": 2}, {"Bash": 2})


def test_a_single_call_an_open_call_and_what_speaks_to_a_person_stand_alone() -> None:
    rows = [*calls("Read"), Text(content="then"), ToolUse(id="open", name="Bash", input={}), *calls("AskUserQuestion")]
    (turn,) = turns(stored([User(text="x"), *rows]))

    assert not any(isinstance(item, Run) for item in runs(turn.items))


def test_thinking_between_calls_belongs_to_their_run_and_after_them_it_does_not() -> None:
    rows = [*calls("Read"), Thinking(content="hm"), *calls("Edit"), Thinking(content="so"), Text(content="done")]
    (turn,) = turns(stored([User(text="x"), *rows]))

    run, thought, _ = runs(turn.items)

    assert isinstance(run, Run)
    assert len(run.items) == 3
    assert isinstance(thought, Note)


@given(st.lists(st.sampled_from(["call", "open", "text", "thinking"]), max_size=30))
def test_folding_into_runs_leaves_nothing_out(kinds: list[str]) -> None:
    rows: list[Event] = [User(text="x")]
    for number, kind in enumerate(kinds):
        match kind:
            case "call":
                rows += [
                    ToolUse(id=f"c{number}", name="Read", input={}),
                    ToolResult(tool_use_id=f"c{number}", content=""),
                ]
            case "open":
                rows.append(ToolUse(id=f"c{number}", name="Bash", input={}))
            case "text":
                rows.append(Text(content="t"))
            case _:
                rows.append(Thinking(content="t"))
    (turn,) = turns(stored(rows))

    folded = [part for item in runs(turn.items) for part in (item.items if isinstance(item, Run) else (item,))]

    assert folded == list(turn.items)


def test_tries_in_a_row_are_one_line() -> None:
    tries: list[Event] = [System(subtype="retry", data={"attempt": number}) for number in range(4)]
    rows = stored(
        [User(text="x"), *tries, Text(content="…"), tries[0], ToolUse(id="t", name="Bash", input={}), tries[1]]
    )

    found = runs(turns(rows)[0].items)

    assert [type(item).__name__ for item in found] == ["Retries", "Note", "Note", "ToolCall", "Note"]
    assert isinstance(found[0], Retries)
    assert (found[0].last, found[0].key, len(found[0].items)) == (rows[4], "2", 4)
