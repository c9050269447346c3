"""A log as text, markdown and JSON: nothing is lost in the raw form, nothing breaks out of its place in the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lulu.model import events
from lulu.model.events import Event, EventId, StoredEvent
from lulu.transcript import export
from tests.samples import EVENTS, UNKNOWN


def stored(*said: Event) -> list[StoredEvent]:
    return [
        StoredEvent(
            id=EventId(n),
            session_id="s",
            event=event,
            created_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
            raw=events.encode(event)[1],
        )
        for n, event in enumerate(said, start=1)
    ]


TURN = stored(
    events.User(text="fix\nit"),
    events.System(subtype="init", data={"tools": ["Bash"]}),
    events.Text(content="I **look**."),
    events.ToolUse(id="t1", name="Bash", input={"command": "ls"}),
    events.ToolResult(tool_use_id="t1", content=[{"type": "text", "text": "a ``` b"}]),
    events.Result(terminal_reason="completed", duration_ms=1500, cost_usd=0.25),
)


def test_markdown_quotes_prompts_and_fences_what_tools_say() -> None:
    assert export.as_markdown(TURN) == (
        "**Prompt, 2026-01-02 03:04 UTC**\n\n> fix\n> it\n\nI **look**.\n\n**Call of Bash**\n\n```\nls\n```\n\n"
        "**Output**\n\n````\na ``` b\n````\n\n*completed, 1.5 s, $0.2500*\n"
    )


def test_text_names_each_part() -> None:
    assert export.as_text(TURN) == (
        "[Prompt, 2026-01-02 03:04 UTC]\nfix\nit\n\n[Answer]\nI **look**.\n\n[Call of Bash]\nls\n\n"
        "[Output]\na ``` b\n\n[End of the turn]\ncompleted, 1.5 s, $0.2500\n"
    )


def test_json_is_what_is_stored() -> None:
    told = json.loads(export.as_json(TURN))

    assert [one["type"] for one in told] == [one.type for one in TURN]
    assert [one["payload"] for one in told] == [json.loads(one.raw) for one in TURN]
    assert told[0]["created_at"] == "2026-01-02T03:04:00.000Z"


def test_every_kind_of_event_can_be_taken() -> None:
    rows = stored(*(event for some in EVENTS.values() for event in some), *UNKNOWN)

    assert len(json.loads(export.as_json(rows))) == len(rows)
    assert export.as_text(rows)
    assert export.as_markdown(rows)
    assert (export.as_text([]), export.as_markdown([]), export.as_json([])) == ("", "", "[]")


@given(st.text(alphabet="`a\n "))
def test_no_output_ends_its_own_fence(text: str) -> None:
    said = export.as_markdown(stored(events.ToolResult(tool_use_id="t", content=text)))

    fence = said.splitlines()[2]
    assert fence.strip("`") == ""
    assert fence not in text


@given(st.text())
def test_no_prompt_leaves_its_quotation(text: str) -> None:
    said = export.as_markdown(stored(events.User(text=text)))

    assert all(line.startswith(">") for line in said.split("\n")[2:-1])


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("It is\n```py\nprint(1)", "```"),
        ("~~~~\nx\n~~~", "~~~~"),
        ("```", "```"),
        ("```\n```x", "```"),
        ("   ```\nx\n\n", "```"),
        ("<!-- not seen", "-->"),
        ("<pre>\nx\n\ny", "</pre>"),
        ("<?php x", "?>"),
    ],
)
def test_what_is_open_at_the_end_of_an_answer_is_closed(text: str, end: str) -> None:
    rows = stored(events.Text(content=text, partial=True), events.User(text="next"))

    assert export.as_markdown(rows).startswith(f"{text}\n{end}\n\n**Prompt")


@pytest.mark.parametrize(
    "text",
    ["```\nx\n```", "- a\n  ```\n  x", "> ```\n> x", "a `` b", "<!-- x -->", "<b>x", "````\n```\n````  ", "a < b"],
)
def test_what_ends_by_itself_gets_no_end(text: str) -> None:
    rows = stored(events.Text(content=text), events.User(text="next"))

    assert export.as_markdown(rows).startswith(f"{text}\n\n**Prompt")
