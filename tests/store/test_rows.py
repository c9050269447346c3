"""Rows of any content: nothing that another program wrote makes a page fail, and what it wrote is kept."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lulu.model.actors import Actor, Role
from lulu.model.commands import SendPrompt, StartSession
from lulu.model.events import TYPES, Text, ToolUse, Unknown, User
from lulu.model.sessions import Launch, Session, SessionId, new_session_id
from lulu.store import Change, Query, Store
from tests.model.test_events import JSON, TEXTS
from tests.samples import EVENTS
from tests.store.files import connect, execute
from tests.tiers import keep_short

OWNER = Actor(role=Role.OWNER, name="this computer")

#: What other programs may bind.
STORABLE = st.text() | st.binary() | st.integers(-(2**63), 2**63 - 1) | st.floats()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples; each makes a session of its own."""
    store = Store.open(tmp_path_factory.mktemp("rows") / "lulu.db")
    yield store
    store.close()


def _of_a_type(event_type: str) -> st.SearchStrategy[str]:
    """Objects with the fields of the type, each with any value at all; some of them fit."""
    names = sorted({*TYPES[event_type].__dataclass_fields__, "later"})
    return st.dictionaries(st.sampled_from(names), JSON | st.just(float("nan")), max_size=6).map(json.dumps)


TYPED = st.sampled_from(sorted(TYPES)).flatmap(
    lambda event_type: st.tuples(st.just(event_type), _of_a_type(event_type))
)
BROKEN = st.tuples(st.sampled_from(sorted(TYPES)), st.sampled_from(sorted(TYPES)).flatmap(_of_a_type)).flatmap(
    lambda row: st.tuples(st.just(row[0]), st.integers(0, len(row[1])).map(lambda end: row[1][:end]))
)
ANY = st.tuples(st.sampled_from(sorted(TYPES)) | STORABLE, STORABLE | JSON.map(json.dumps))

_numbers = itertools.count()


# Not shrunk: with 25 rows an example, that takes minutes.
@pytest.mark.parametrize("part", keep_short(1, *range(4)))
@settings(
    max_examples=100,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(TYPED | BROKEN | ANY, min_size=25, max_size=25))
def test_ten_thousand_random_payloads(shared: Store, part: int, payloads: list[tuple[Any, Any]]) -> None:
    session_id = f"random-{part}-{next(_numbers)}"
    with closing(connect(shared.path)) as other:
        other.execute("BEGIN")
        other.execute("INSERT INTO sessions (id, prompt, status) VALUES (?, 'p', 'completed')", [session_id])
        other.executemany(
            "INSERT INTO conversation_events (session_id, event_type, payload) VALUES (?, ?, ?)",
            # SQLite has no NaN: a column that must hold something would refuse it.
            [[session_id, *(0 if value != value else value for value in row)] for row in payloads],
        )
        other.execute("COMMIT")
        other.text_factory = bytes
        columns = "event_type, payload FROM conversation_events WHERE session_id = ? ORDER BY id"
        stored = other.execute(f"SELECT {columns}", [session_id]).fetchall()

    events = shared.events.of_session(session_id)

    assert len(events) == 25
    for event, (event_type, payload) in zip(events, stored, strict=True):
        raw = event.raw.encode("utf-8", "surrogateescape")
        assert raw == (payload if isinstance(payload, bytes) else str(payload).encode())
        assert event.type.encode() is not None
        if isinstance(event.event, Unknown):
            assert event.event.raw == event.raw
            assert event.type == event_type.decode("utf-8", "replace") or not event_type.isascii()
    shared.events.last(session_id, "system", subtype="init")
    shared.events.last(session_id, "result")


COLUMNS = [
    *("title", "prompt", "status", "model", "session_id_claude", "cost_usd", "duration_ms", "num_turns"),
    *("created_at", "updated_at", "working_directory", "permission_mode", "agent", "agent_pid", "agent_started_at"),
    *("archived_at", "pinned_at", "title_source", "max_cost_usd", "max_turns", "fork_conversation", "fork_message"),
    *("last_activity_at", "waited_ms"),
]


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.lists(STORABLE, min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_session_of_any_content_is_listed(shared: Store, values: list[Any]) -> None:
    session_id = f"row-{next(_numbers)}"
    row = [0 if value != value else value for value in values]
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    execute(shared.path, f"INSERT INTO sessions (id, {', '.join(COLUMNS)}) VALUES ({marks})", session_id, *row)
    execute(shared.path, "UPDATE sessions SET created_at = '9999', last_activity_at = NULL WHERE id = ?", session_id)

    sessions = [
        shared.sessions.get(session_id),
        shared.sessions.latest(limit=1)[0],
        *[session for session in shared.sessions.latest(limit=3, search="a") if session.id == session_id],
    ]
    shared.sessions.live()
    folders = shared.sessions.recent_folders()
    execute(shared.path, "DELETE FROM sessions WHERE id = ?", session_id)

    for session in sessions:
        _check_types(session)
    assert all(folder.encode() is not None for folder in folders)


def _check_types(session: Session) -> None:
    assert session.id.startswith("row-")
    texts = [session.title, session.prompt, session.status, session.model, session.session_id_claude, session.agent]
    texts += [session.working_directory, session.permission_mode, session.title_source, session.fork_message]
    for text in [*texts, session.name]:
        assert text is None or text.encode() is not None
    assert session.name
    for number in (
        session.cost_usd,
        session.duration_ms,
        session.waited_ms,
        session.max_cost_usd,
        session.agent_started_at,
    ):
        assert number is None or float(number) == number
    for whole in (session.num_turns, session.max_turns):
        assert whole is None or isinstance(whole, int)
    assert session.agent_pid is None or 0 < session.agent_pid < 2**31
    assert session.created_at.tzinfo is session.updated_at.tzinfo is UTC
    assert session.is_live == (session.status in ("starting", "running", "waiting"))


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.lists(STORABLE | JSON.map(json.dumps), min_size=12, max_size=12), st.booleans())
def test_requests_commands_and_live_text_of_any_content(shared: Store, values: list[Any], pending: bool) -> None:
    session_id = f"other-{next(_numbers)}"
    row = iter([0 if value != value else value for value in values])
    status = "pending" if pending else next(row)
    with closing(connect(shared.path)) as other:
        other.execute("BEGIN")
        other.execute("INSERT INTO sessions (id, prompt, status) VALUES (?, 'p', 'completed')", [session_id])
        other.execute(
            "INSERT INTO approvals (id, session_id, tool_name, tool_input, suggestions, status, created_at, "
            "decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [session_id, session_id, next(row), next(row), next(row), status, next(row), next(row)],
        )
        other.execute(
            "INSERT INTO commands (session_id, kind, payload, actor, status, created_at) VALUES (?, ?, ?, ?, ?, '')",
            [session_id, "prompt" if pending else next(row), next(row), next(row), status],
        )
        other.execute("INSERT INTO live_text VALUES (?, NULL, ?, 'x', '')", [session_id, next(row)])
        other.execute("COMMIT")

    [approval] = shared.approvals.find(session_id, status=None)
    live = shared.events.live_text(session_id)
    queued = shared.commands.queued_prompts(session_id)
    shared.approvals.find()
    shared.commands.pending()
    with closing(connect(shared.path)) as other:
        for table in ("approvals", "commands", "live_text"):
            other.execute(f"DELETE FROM {table} WHERE session_id = ?", [session_id])

    assert isinstance(approval.tool_input, dict)
    assert isinstance(approval.suggestions, list)
    assert approval.tool_name.encode() is not None
    assert live is not None
    assert live.text == "x"
    assert all(isinstance(stored.command, SendPrompt) for stored in queued)


# -- what people and agents write ------------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", TYPES)
def test_every_sample_is_read_as_it_was_written(store: Store, session_id: SessionId, event_type: str) -> None:
    events = EVENTS[event_type]

    ids = store.events.append(session_id, events)
    stored = store.events.of_session(session_id)

    assert [found.event for found in stored] == events
    assert [found.id for found in stored] == ids
    assert {found.type for found in stored} == {event_type}


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_any_text_is_kept_through_the_file(shared: Store, texts: list[str]) -> None:
    session_id = shared.sessions.insert(Launch(prompt="p", working_directory="/"))
    events = [Text(content=text) for text in texts] + [
        ToolUse(id=text, name=text, input={text: text}) for text in texts
    ]

    shared.events.append(session_id, events)

    assert [found.event for found in shared.events.of_session(session_id)] == events


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(TEXTS, TEXTS, TEXTS, st.none() | TEXTS)
def test_any_launch_can_be_stored(shared: Store, prompt: str, title: str, folder: str, model: str | None) -> None:
    launch = Launch(
        prompt=prompt, title=title, working_directory=folder, model=model, permission_mode=title, agent=title
    )

    session_id = shared.sessions.insert(launch)
    session = shared.sessions.get(session_id)

    assert session.prompt == _plain(prompt)
    assert session.title == (_plain(title) if title else None)
    assert session.working_directory == _plain(folder)
    session.name.encode()


def _plain(text: str) -> str:
    """As a column of text holds it: every sign that it can hold, U+FFFD for the others."""
    return "".join("\ufffd" if sign == "\0" or "\ud800" <= sign <= "\udfff" else sign for sign in text)


@pytest.mark.parametrize("text", ["\0", "a\0b\ud800", "\u202e", "\x1b[31m", "--help", "'; DROP TABLE sessions; --"])
def test_prompt_reaches_the_host_sign_for_sign(store: Store, tmp_path: Path, text: str) -> None:
    session_id = new_session_id()
    actor = Actor(role=Role.OWNER, name=text)
    launch = Launch(prompt=text, working_directory=str(tmp_path), title=text)

    store.commands.submit(StartSession(actor=actor, session_id=session_id, launch=launch))
    store.commands.submit(SendPrompt(actor=actor, session_id=session_id, text=text))
    prompt = User(text=text, actor=text, uuid=text)
    store.events.record(Change(session_id=session_id, events=[prompt])).result(30)

    start, follow_up = store.commands.pending()
    assert isinstance(start.command, StartSession)
    assert isinstance(follow_up.command, SendPrompt)
    assert start.command.launch == launch
    assert follow_up.command.text == text
    assert store.events.of_session(session_id)[0].event == prompt


def test_block_that_comes_twice_is_stored_once(store: Store, session_id: SessionId) -> None:
    blocks = [Text(content="one", uuid="u"), Text(content="two", uuid="u"), Text(content="no uuid")]

    first = store.events.append(session_id, blocks)
    second = store.events.append(session_id, blocks)

    assert first == [1, 2, 3]
    assert second[:2] == [None, None]
    assert [found.event for found in store.events.of_session(session_id)] == [*blocks, blocks[2]]


def test_odd_uuids_are_not_taken_for_each_other(store: Store, session_id: SessionId) -> None:
    uuids = ["\ud800", "\udfff", "\0", "", "é", "\ufffd", "x" * 10_000]

    for uuid in uuids * 2:
        store.events.append(session_id, [Text(content=uuid, uuid=uuid)])

    contents = [str(getattr(found.event, "content", None)) for found in store.events.of_session(session_id)]
    assert sorted(contents) == sorted([*uuids, ""])


def test_event_that_is_no_row_of_ours_is_found_by_search_or_left_out(store: Store, session_id: SessionId) -> None:
    execute(
        store.path,
        "INSERT INTO conversation_events (session_id, event_type, payload) VALUES (?, 'text', ?)",
        session_id,
        sqlite3.Binary(b"\xff\xfe"),
    )
    store.events.append(session_id, [Text(content="a needle in it")])

    found = store.search.find(Query(text="needle"))

    assert [hit.match for hit in found.hits] == ["needle"]
