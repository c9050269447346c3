"""What a session does now, from its last events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lulu.model.events import Event, EventId, Result, StoredEvent, System, Text, ToolResult, ToolUse, User
from lulu.model.sessions import Session, SessionId, SessionStatus
from lulu.transcript.activity import Activity, activity, context_share, context_tokens, context_window
from lulu.ui.session import activity_line

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROMPT = User(text="go")
BASH = ToolUse(id="t1", name="Bash", input={"timeout": "9", "command": "pytest -q"})


def session(status: SessionStatus = SessionStatus.RUNNING) -> Session:
    return Session(
        id=SessionId("s"),
        title=None,
        prompt="go",
        status=status.value,
        model=None,
        session_id_claude=None,
        cost_usd=None,
        duration_ms=None,
        num_turns=None,
        created_at=START,
        updated_at=START,
    )


def log(*events: Event) -> list[StoredEvent]:
    """These events, a second apart."""
    return [
        StoredEvent(id=EventId(n), session_id="s", event=event, created_at=START + timedelta(seconds=n), raw="{}")
        for n, event in enumerate(events, start=1)
    ]


def does(*events: Event, status: SessionStatus = SessionStatus.RUNNING, writes: str | None = None) -> Activity:
    found = activity(session(status), log(*events), writes=writes)
    assert found is not None
    return found


def seconds(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - START).total_seconds()


@pytest.mark.parametrize("status", sorted(set(SessionStatus) - {"starting", "running", "waiting"}))
def test_a_session_that_is_not_live_does_nothing(status: SessionStatus) -> None:
    assert activity(session(status), log(PROMPT, BASH)) is None


def test_a_person_who_is_waited_for_comes_before_everything() -> None:
    asked = START - timedelta(seconds=9)

    found = activity(session(), log(PROMPT, BASH), writes="text", asked_at=asked)

    assert found == Activity(kind="waiting", since=asked)
    assert does(PROMPT, BASH, status=SessionStatus.WAITING).kind == "waiting"


@pytest.mark.parametrize(
    ("events", "words", "since"),
    [
        ([], "Working", 0),
        ([PROMPT], "Working", 1),
        ([PROMPT, BASH], "Bash pytest -q", 2),
        ([PROMPT, BASH, ToolResult(tool_use_id="t1")], "Working", 3),
        ([PROMPT, BASH, Result(), PROMPT], "Working", 4),
        ([PROMPT, BASH, ToolUse(id="t2", name="Bash", input={"command": "ls"})], "Bash ls (2 at once)", 2),
        (
            [
                PROMPT,
                ToolUse(id="t2", name="Task", input={"prompt": "look"}),
                ToolUse(id="t3", name="Grep", input={"pattern": "x\n y"}, parent="t2"),
            ],
            "Task: Grep x y (2 at once)",
            2,
        ),
        ([PROMPT, BASH, ToolResult(tool_use_id="t1"), BASH], "Bash pytest -q", 4),
        (
            [
                PROMPT,
                ToolUse(id="t1", name="Task", input={"prompt": "look"}),
                ToolUse(id="t1", name="Grep", input={"pattern": "x"}, parent="t1"),
                ToolResult(tool_use_id="t1", parent="t1"),
            ],
            "Task look",
            2,
        ),
        ([PROMPT, ToolUse(id="t4", name="mcp__x", input={"n": 1, "s": "it"})], "mcp__x it", 2),
    ],
)
def test_the_call_that_runs_is_told(events: list[Event], words: str, since: float) -> None:
    found = does(*events)

    assert (activity_line.words(found), seconds(found.since)) == (words, since)


def test_a_block_that_is_written_is_told_and_when_it_was_heard() -> None:
    heard = START + timedelta(seconds=30)

    found = activity(session(), log(PROMPT), writes="thinking", written_at=heard)

    assert found == Activity(kind="thinking", since=START + timedelta(seconds=1), heard=heard)
    assert activity_line.words(does(PROMPT, writes="text")) == "Writing"


def test_a_silence_counts_only_where_the_model_is_waited_for() -> None:
    assert seconds(does(PROMPT).heard) == 1
    assert does(PROMPT, BASH).heard is None
    assert does(PROMPT, status=SessionStatus.WAITING).heard is None


def test_a_retry_is_told_with_the_time_that_is_left() -> None:
    retry = System(subtype="retry", data={"attempt": 3, "max_retries": 10, "retry_delay_ms": 4000})

    found = does(PROMPT, retry)

    assert activity_line.words(found) == "Asking the API again: try 3 of 10"
    assert seconds(found.until) == 6
    assert does(PROMPT, retry, Text(content="x")).kind == "working"


@pytest.mark.parametrize("data", [{}, {"attempt": "3", "retry_delay_ms": "soon", "max_retries": None}, None])
def test_a_retry_of_another_shape_is_still_a_retry(data: dict[str, object] | None) -> None:
    found = does(PROMPT, System(subtype="retry", data=data))

    assert (activity_line.words(found), found.until) == ("Asking the API again", None)


def test_a_limit_is_told_with_its_end() -> None:
    end = START + timedelta(hours=2)

    found = does(PROMPT, System(subtype="rate_limit", data={"status": "rejected", "resetsAt": end.timestamp()}))

    assert (found.kind, found.until) == ("limit", end)


@pytest.mark.parametrize("resets_at", [None, "soon", True, 1e18, 1e300, (START + timedelta(days=99)).timestamp()])
def test_a_limit_without_a_true_end_is_told_without_it(resets_at: object) -> None:
    found = does(PROMPT, System(subtype="rate_limit", data={"status": "rejected", "resetsAt": resets_at}))

    assert (found.kind, found.until) == ("limit", None)
    assert does(PROMPT, System(subtype="rate_limit", data={"status": "allowed_warning"})).kind == "working"


def test_the_context_is_that_of_the_session_s_own_model() -> None:
    told = log(Text(content="a", context=900), Text(content="b"), Text(content="c", context=7, parent="t2"))

    assert context_tokens(told) == 900
    assert context_tokens([]) is None


def test_the_window_is_that_of_the_model_where_it_was_told() -> None:
    usage = {"haiku": {"contextWindow": 200_000}, "opus": {"contextWindow": 1_000_000}}

    assert context_window(Result(model_usage=usage), "opus") == 1_000_000
    assert context_window(Result(model_usage=usage), None) == 200_000
    assert context_window(Result(model_usage={"x": 3, "y": {"contextWindow": "big"}}), "x") is None
    assert context_window(None, "opus") is None
    assert (context_share(50, 200), context_share(500, 200), context_share(50, None)) == (0.25, 1.0, None)


def test_what_the_page_is_told_is_plain_text_and_milliseconds() -> None:
    told = activity_line.data_of(
        does(PROMPT, ToolUse(id="t", name="Bash", input={"command": "a\x1b[31m\u202eb " * 99})), 60
    )

    assert told["kind"] == "tool"
    assert told["since"] > 0
    assert told["stall"] == 60_000
    assert len(told["words"]) < 140
    assert "\x1b" not in told["words"]
    assert activity_line.data_of(None, 60) == {}
