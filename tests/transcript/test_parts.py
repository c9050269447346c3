"""A transcript in parts: the same lines in the same order, and nothing torn apart."""

from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from lulu.model.events import Event, Result, StoredEvent, Text, ToolResult, ToolUse, User
from lulu.transcript.split import Piece, divided, ends, place_to_divide
from lulu.transcript.turns import Item, Retries, Run, Turn, runs, turns
from tests.samples import stored
from tests.transcript.test_transcript import some_event

Line = StoredEvent | Item | Run | Retries


def lines(shown: list[Turn]) -> list[Line]:
    """What each line of these turns stands for."""
    found: list[Line | None] = []
    for turn in shown:
        found += [turn.prompt, *runs(turn.items), turn.result]
    return [line for line in found if line is not None]


def shown(pieces: list[Piece]) -> list[Turn]:
    return [piece.shown for piece in pieces]


@given(st.lists(some_event, max_size=40), st.integers(0, 5), st.integers(1, 5))
def test_both_parts_have_the_same_lines_in_the_same_order(events: list[Event], above: int, below: int) -> None:
    rows = stored(events)
    whole = turns(rows)
    at = place_to_divide(whole, above=above, below=below)

    parts = divided(whole, [at - 1, len(rows)] if at else [len(rows)])

    assert lines([turn for part in parts for turn in shown(part)]) == lines(whole)
    assert [piece.whole for part in parts for piece in part if piece.whole] == whole
    if at is not None:
        upper, lower = (shown(part) for part in parts)
        assert len(lines(upper)) >= above
        assert len(lines(lower)) >= below
        assert min(stored.id for turn in lower[:1] for stored in turn.events()) == at


@given(st.lists(some_event, max_size=40), st.lists(st.integers(0, 45), max_size=5, unique=True))
def test_wherever_the_parts_end_nothing_is_lost_doubled_or_turned_round(events: list[Event], at: list[int]) -> None:
    rows = stored(events)
    whole = turns(rows)

    parts = divided(whole, sorted({*at, len(rows)}))

    pieces = [piece for part in parts for piece in part]
    one_by_one = [[turn.prompt, *turn.items, turn.result] for turn in whole]
    drawn = [[piece.shown.prompt, *piece.shown.items, piece.shown.result] for piece in pieces]
    assert [one for row in drawn for one in row if one] == [one for row in one_by_one for one in row if one]
    assert [piece.whole for piece in pieces if piece.whole] == whole
    assert all(list(piece.shown.events()) for piece in pieces)


@given(st.lists(some_event, max_size=40), st.lists(st.integers(1, 40), max_size=12))
def test_what_stood_in_a_part_stays_in_it_while_more_settles(events: list[Event], settled: list[int]) -> None:
    rows = stored(events)
    now: list[int] = []
    for last in settled:
        before, now = now, ends(now, rows, last)
        assert now[-1] == last
        assert now == sorted(set(now))
        for row in rows:
            # What was open is a part of its own, so that each event stands in the place it had.
            if row.id <= last:
                assert bisect_left(now, row.id) == bisect_left(before, row.id) or not before


def test_the_first_part_may_be_empty_and_nothing_new_is_no_part() -> None:
    rows = stored([User(text="x"), Result(), User(text="y"), Result()], first=7)

    opened = ends([], rows[:0], 0)
    begun = ends(opened, rows, 6)
    ended = ends(begun, rows, 8)

    assert (opened, begun, ended) == ([0], [6], [6, 8])
    assert ends(ended, rows, 8) == [6, 8]
    assert ends(ended, rows, 10) == [6, 8, 10]
    # A session that works again takes back what had settled without an end.
    assert ends([6, 8, 10], rows, 8) == [6, 8]
    assert divided(turns(rows), [6, 8, 10])[0] == []


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

    upper, lower = divided([turn], [(at or 0) - 1, len(rows)])

    assert [row.id for row in rows if row.id == at and row.type == "text"] == [22]
    assert [len(lines(shown(part))) for part in (upper, lower)] == [9, 5]
    assert [piece.whole for piece in upper + lower] == [None, turn]
    assert upper[0].shown.prompt == turn.prompt
    assert lower[0].shown.result == turn.result


def test_turns_are_divided_at_a_prompt() -> None:
    whole = turns(stored([User(text="1"), *calls(1), Result(), User(text="2"), *calls(2), Result()]))
    at = place_to_divide(whole, above=3, below=3)

    parts = divided(whole, [(at or 0) - 1, 100])

    assert [shown(part) for part in parts] == [whole[:1], whole[1:]]


def test_what_belongs_together_or_is_short_is_one_part() -> None:
    rows = stored([User(text="x"), *(event for n in range(9) for event in calls(n)), Result()])
    short = stored([User(text="x"), Text(content="1"), Text(content="2"), Result()])

    assert place_to_divide(turns(rows), above=1, below=1) is None
    assert place_to_divide(turns(short), above=2, below=3) is None
    assert [shown(part) for part in divided(turns(short), [100])] == [turns(short)]
