"""What a tool's line and body are made of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lulu.model.events import Event, Permission, PermissionDecision, System, ToolResult, ToolUse
from lulu.text.plain import visible
from lulu.transcript import diffs, tool_results
from lulu.transcript.turns import ToolCall, turns
from lulu.ui import tools as looks
from lulu.ui.approvals import questions
from lulu.ui.tools import line as tools
from tests.samples import stored
from tests.ui.recorded import SAMPLES

ASK = Permission(id="p", tool_use_id="t", tool_name="Bash", tool_input={})


def call_of(*events: Event) -> ToolCall:
    (call,) = next(iter(turns(stored(list(events))))).calls()
    return call


@pytest.mark.parametrize("name", SAMPLES)
def test_a_line_does_not_change_when_the_answer_comes(name: str) -> None:
    for event in SAMPLES[name].events:
        if isinstance(event, ToolResult):
            uses = [
                replace(use, parent=None)
                for use in SAMPLES[name].events
                if isinstance(use, ToolUse) and use.id == event.tool_use_id
            ]
            running, done = call_of(*uses), call_of(*uses, replace(event, is_error=False, parent=None))

            assert (tools.label(running), tools.icon(running)) == (tools.label(done), tools.icon(done))


@pytest.mark.parametrize(
    ("events", "live", "said"),
    [
        ([], True, ""),
        ([], False, "no result"),
        ([ToolResult(tool_use_id="t")], False, "1.0 s"),
        ([ASK], True, ":blue[waits for you]"),
        ([ASK], False, "no result"),
        ([ASK, PermissionDecision(id="p", decision="denied")], True, ":orange[denied]"),
        ([ASK, PermissionDecision(id="p", decision="expired")], False, "expired"),
        ([ASK, PermissionDecision(id="p", decision="approved")], True, ""),
    ],
)
def test_outcome_says_how_a_call_stands(events: list[Event], live: bool, said: str) -> None:
    call = call_of(ToolUse(id="t", name="Bash", input={}), *events)

    assert tools.outcome(call, live=live) == said


@pytest.mark.parametrize(
    ("outcome", "needs_room"),
    [("2 files", False), (":orange[stopped]", False), ("", False), (":orange[denied by this computer]", True)],
)
def test_an_outcome_of_more_than_a_few_letters_is_given_room(outcome: str, needs_room: bool) -> None:
    assert tools.is_long(outcome) is needs_room


def test_a_patch_of_another_shape_is_not_shown_as_one() -> None:
    assert diffs.patch_lines("x") == diffs.patch_lines([{"lines": 1}]) == diffs.patch_lines([7]) == []


def test_of_a_huge_text_the_change_is_shown() -> None:
    before = "\n".join(f"a{number}" for number in range(30_000))

    lines = diffs.diff_lines(before, before.replace("a29998\n", "b\n"))

    assert diffs.counts(lines) == (1, 1)
    assert len(lines) == 7


SENTENCE = "No newline at end of file"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("first\nlast\n", "first\nlast", ["-last", "+last", f"\\ {SENTENCE}"]),
        ("last", "last\n", ["-last", f"\\ {SENTENCE}", "+last"]),
        ("", "last", ["+last", f"\\ {SENTENCE}"]),
        ("a\r\nb\n", "a\nb\n", ["-a␍", "+a"]),
        ("a\rb", "a\nb", ["-a␍b", "+a", "+b"]),
        ("", "a\r\nb\r\n", ["+a␍", "+b␍"]),
        ("a\r\nb\r\n", "a\r\nc\r\n", ["-b", "+c"]),
        ("a\n", "a \t\n", ["-a", "+a␠␉\t"]),
        ("\ta\n", "    a\n", ["-␉\ta", "+    a"]),
        ("a\0b", "a\0c", ["-a\0b", "+a\0c"]),
        ("\ud800\n", "x\n", ["-\ud800", "+x"]),
        ("@@ x\n", "@@ y\n", ["-@@ x", "+@@ y"]),
        ("a", "a", []),
    ],
)
def test_every_difference_is_a_line_of_the_diff(before: str, after: str, shown: list[str]) -> None:
    lines = diffs.diff_lines(before, after, context=0)

    assert [line for line in lines if not line.startswith("@@ -")] == shown


@given(st.text(st.sampled_from("ab \t\r\n\x85\u2028\xa0\u200b\U000e0041")), st.text(st.sampled_from("ab \t\r\n\x1b")))
def test_two_texts_that_differ_never_look_alike(before: str, after: str) -> None:
    lines = visible("\n".join(diffs.diff_lines(before, after, context=10**9))).split("\n")
    old, new = ([line[1:] for line in lines if line[:1] in (sign, " ")] for sign in "-+")
    notes = any(line.startswith("\\") for line in lines)

    assert (old != new or notes) == (before != after)


@pytest.mark.parametrize(
    "arguments",
    [
        {"file_path": "a", "old_string": "x", "new_string": "y", "content": "hidden?"},
        {"file_path": "a", "content": "y", "new_source": "hidden?"},
        {"edits": [{"old_string": "x", "new_string": "y", "content": "hidden?"}], "new_string": "hidden too?"},
        {"old_string": 7, "new_string": ["hidden?"]},
    ],
)
def test_a_change_and_what_stands_beside_it_are_the_whole_input(arguments: dict[str, object]) -> None:
    shown = "\n".join(diffs.change_in(arguments, context=10**9)) + tool_results.as_json(
        diffs.beside_the_change(arguments)
    )

    for text in texts_in(arguments):
        assert text in shown


def texts_in(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts_in(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts_in(part)]
    return [str(value)]


def test_an_mcp_tool_is_named_by_its_server() -> None:
    assert looks.title_of("mcp__git__log") == "git/log"
    assert looks.title_of("mcp__odd") == "mcp__odd"


def test_what_the_machinery_says_of_a_call_belongs_to_it() -> None:
    use = ToolUse(id="t", name="Agent", input={})
    said = System(subtype="task_progress", data={"tool_use_id": "t", "last_tool_name": "Bash", "description": "Test"})

    call = call_of(use, said)

    assert tools.outcome(call, live=True) == "running · Test"
    assert [stored.event for stored in call.events] == [use, said]


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("A", ["A"]),
        ("A, B", ["A, B"]),
        ("A, none of these, really", ["A", "none of these, really"]),
        (["A", "x"], ["A", "x"]),
        (None, []),
        ("", []),
    ],
)
def test_an_answer_is_read_back_into_options_and_words(answer: object, chosen: list[str]) -> None:
    options = tuple(questions.Option(label=label, description="") for label in ("A", "A, B"))
    question = questions.Question(text="Which?", header="", options=options, is_multiple=True)

    assert questions.answered(question, answer) == chosen


CHOICES = questions.Question(
    text="Which?",
    header="",
    options=tuple(questions.Option(label=label, description="") for label in ("Now", "Later", "No", "Now, and later")),
    is_multiple=True,
)
ONE_CHOICE = replace(CHOICES, is_multiple=False)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("Later, Now is too early", ["Later, Now is too early"]),
        ("No, because it is slow", ["No, because it is slow"]),
        ("Later", ["Later"]),
        ("Now, and later", ["Now, and later"]),
        ("", []),
        (None, []),
        (["Now", "x"], ["Now", "x"]),
    ],
)
def test_a_single_choice_is_one_option_or_own_words(answer: object, shown: list[str]) -> None:
    assert questions.answered(ONE_CHOICE, answer) == shown


@given(
    st.lists(st.sampled_from(CHOICES.options), unique=True),
    st.sampled_from(["", "Later", "Later, Now is too early", "No, because", "“Now”", "“", "a, b", "Now, and later"])
    | st.text(max_size=20).map(str.strip),
)
def test_several_choices_and_own_words_are_shown_as_they_were_given(
    options: list[questions.Option], words: str
) -> None:
    chosen = [option.label for option in CHOICES.options if option in options]
    given_parts = [*chosen, *([words] if words else [])]

    text = questions.joined(CHOICES, chosen, words)

    assert questions.answered(CHOICES, text) == given_parts
