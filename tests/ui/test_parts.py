"""A transcript in two parts: the same lines in the same order, and nothing torn apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lulu.events import Event, Result, StoredEvent, Text, ToolResult, ToolUse, User
from lulu.transcript import Item, Retries, Run, Turn, runs, turns
from lulu.ui.parts import divided, place_to_divide
from tests.samples import stored
from tests.test_transcript import some_event

Line = StoredEvent | Item | Run | Retries


def lines(shown: list[Turn]) -> list[Line]:
    """What each line of these turns stands for."""
    found: list[Line | None] = []
    for turn in shown:
        found += [turn.prompt, *runs(turn.items), turn.result]
    return [line for line in found if line is not None]


@given(st.lists(some_event, max_size=40), st.integers(0, 5), st.integers(1, 5))
def test_both_parts_have_the_same_lines_in_the_same_order(events: list[Event], above: int, below: int) -> None:
    whole = turns(stored(events))
    at = place_to_divide(whole, above=above, below=below)

    parts = divided(whole, at or 0)

    assert lines(parts.above) + lines(parts.below) == lines(whole)
    assert [turn for part in parts.above + parts.below if (turn := parts.ended_by(part))] == whole
    if at is not None:
        assert len(lines(parts.above)) >= above
        assert len(lines(parts.below)) >= below
        assert min(stored.id for turn in parts.below[:1] for stored in turn.events()) == at


def calls(number: int) -> list[Event]:
    """Two calls in a row: one line."""
    return [
        event
        for call in (f"a{number}", f"b{number}")
        for event in (ToolUse(id=call, name="Read", input={}), ToolResult(tool_use_id=call))
    ]


def test_a_long_turn_is_divided_at_a_text_and_ends_below() -> None:
    rows = stored([User(text="x"), *(event for n in range(6) for event in (Text(content="t"), *calls(n))), Result()])
    (turn,) = turns(rows)
    at = place_to_divide([turn], above=3, below=4)

    parts = divided([turn], at or 0)

    assert [row.id for row in rows if row.id == at and row.type == "text"] == [22]
    assert [len(lines(part)) for part in (parts.above, parts.below)] == [9, 5]
    assert [parts.ended_by(part) for part in parts.above + parts.below] == [None, turn]
    assert parts.above[0].prompt == turn.prompt
    assert parts.below[0].result == turn.result


def test_turns_are_divided_at_a_prompt() -> None:
    whole = turns(stored([User(text="1"), *calls(1), Result(), User(text="2"), *calls(2), Result()]))
    at = place_to_divide(whole, above=3, below=3)

    parts = divided(whole, at or 0)

    assert (parts.above, parts.below, parts.torn) == (whole[:1], whole[1:], None)


def test_what_belongs_together_or_is_short_is_one_part() -> None:
    rows = stored([User(text="x"), *(event for n in range(9) for event in calls(n)), Result()])
    short = stored([User(text="x"), Text(content="1"), Text(content="2"), Result()])

    assert place_to_divide(turns(rows), above=1, below=1) is None
    assert place_to_divide(turns(short), above=2, below=3) is None
    assert divided(turns(short), 0).below == turns(short)
