"""What a session is called, where it may go, and which ids are looked up at all."""

from __future__ import annotations

import dataclasses
import itertools
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lulu.errors import SessionNotFound
from lulu.model.sessions import (
    ALLOWED,
    ENDED,
    LIVE,
    Session,
    SessionId,
    SessionStatus,
    new_session_id,
    parse_session_id,
    sources_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = Session(
    id=SessionId("s"),
    title=None,
    prompt="Fix the bug",
    status="running",
    model=None,
    session_id_claude=None,
    cost_usd=None,
    duration_ms=None,
    num_turns=None,
    created_at=NOW,
    updated_at=NOW,
)


@pytest.mark.parametrize(
    ("title", "prompt", "name"),
    [
        ("A title", "p", "A title"),
        ("  padded\n", "p", "padded"),
        (None, "Fix the bug", "Fix the bug"),
        ("", "Fix the bug", "Fix the bug"),
        (" \n ", "Fix the bug", "Fix the bug"),
        (None, "two\n\n  lines\there", "two lines here"),
        (None, "x" * 50, "x" * 50),
        (None, "x" * 51, "x" * 50 + "…"),
        (None, "word " * 20, "word word word word word word word word word word…"),
        (None, "😀" * 60, "😀" * 50 + "…"),
        (None, "\0\ud800", "\0\ud800"),
    ],
    ids=ascii,
)
def test_name_is_the_title_or_how_the_prompt_begins(title: str | None, prompt: str, name: str) -> None:
    assert dataclasses.replace(SESSION, title=title, prompt=prompt).name == name


@pytest.mark.parametrize("prompt", ["", " ", "\n\t\u2003"])
def test_session_without_a_word_still_has_a_name_to_click(prompt: str) -> None:
    assert dataclasses.replace(SESSION, prompt=prompt).name == "Untitled"


@given(st.text(st.characters(categories=None)), st.none() | st.text())
def test_every_session_has_a_name(prompt: str, title: str | None) -> None:
    assert dataclasses.replace(SESSION, title=title, prompt=prompt).name


@pytest.mark.parametrize("status", ["", "Running", "running ", "paused", "\0", "archived"])
def test_unknown_status_is_kept_and_never_live(status: str) -> None:
    session = dataclasses.replace(SESSION, status=status)

    assert (session.status, session.known_status, session.is_live) == (status, None, False)


def test_every_status_has_its_place() -> None:
    assert set(ALLOWED) == set(SessionStatus)
    assert LIVE | ENDED | {SessionStatus.DRAFT} == set(SessionStatus)
    assert not LIVE & ENDED
    assert [status for status in SessionStatus if dataclasses.replace(SESSION, status=status).is_live] == [
        SessionStatus.STARTING,
        SessionStatus.RUNNING,
        SessionStatus.WAITING,
    ]


def test_sources_are_the_moves_read_backwards() -> None:
    for source, target in itertools.product(SessionStatus, SessionStatus):
        assert (source in sources_of(target)) == (target in ALLOWED[source])


def test_nothing_goes_back_to_a_draft_and_every_live_session_can_end() -> None:
    assert sources_of(SessionStatus.DRAFT) == []
    for status in LIVE:
        assert ALLOWED[status] >= ENDED


def test_new_ids_can_be_looked_up() -> None:
    ids = {new_session_id() for _ in range(100)}

    assert len(ids) == 100
    assert {parse_session_id(session_id) for session_id in ids} == ids


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "../x", "..", "a/b", "' OR 1=1--", "a b", "a\n", "\na", "é", "\0", "a\0", "%2e", "\ud800", "x" * 65),
        *("x" * 10_000, None, 7, ["a"], ("a", "b"), b"a"),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_id_that_no_row_can_have_is_not_looked_up(text: object) -> None:
    with pytest.raises(SessionNotFound) as told:
        parse_session_id(text)

    assert told.value.next_step
    assert not re.search(r"OR 1|\.\./", str(told.value))


@pytest.mark.parametrize("text", ["a", "session-0", "A_b-9", "x" * 64])
def test_ids_of_the_seed_are_looked_up(text: str) -> None:
    assert parse_session_id(text) == text
