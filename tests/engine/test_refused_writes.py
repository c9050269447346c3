"""What the database refuses is told in the session: what happened and what to do; the rest of it goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lulu import runtime
from lulu.model.actors import Actor, Role
from lulu.model.commands import SendPrompt, StartSession
from lulu.model.events import NOT_SAVED, Error, StoredEvent
from lulu.model.sessions import ENDED, Launch, Session, SessionId, SessionStatus, new_session_id
from lulu.runtime import Runtime
from lulu.settings import Settings
from tests.support import eventually

OWNER = Actor(role=Role.OWNER, name="this computer")
#: A constraint of the file itself, as another program or a later version may have added one.
REFUSE = (
    "CREATE TRIGGER refuse BEFORE INSERT ON conversation_events WHEN new.event_type = '{kind}' "
    "BEGIN SELECT RAISE(ABORT, 'refused here'); END"
)


@pytest.fixture
def lulu(tmp_path: Path) -> Iterator[Runtime]:
    yield runtime.start(Settings(data_dir=tmp_path / "lulu", demo_speed=0.0, agent="demo"))
    runtime.stop()


def execute(lulu: Runtime, sql: str) -> None:
    with closing(sqlite3.connect(lulu.store.path, timeout=10)) as connection, connection:
        connection.execute(sql)


def start(lulu: Runtime, prompt: str) -> SessionId:
    session_id = new_session_id()
    launch = Launch(prompt=prompt, working_directory=str(Path.cwd()), agent="demo")
    lulu.store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))
    return session_id


def ended(lulu: Runtime, session_id: SessionId, *, with_type: str) -> Session:
    def look() -> Session | None:
        session = lulu.store.sessions.get(session_id)
        done = lulu.store.events.count(session_id, with_type) > 0
        return session if done and session.known_status in ENDED else None

    return eventually(look, timeout=30)


def errors(lulu: Runtime, session_id: SessionId) -> list[Error]:
    return [one.event for one in events(lulu, session_id) if isinstance(one.event, Error)]


def events(lulu: Runtime, session_id: SessionId) -> list[StoredEvent]:
    return lulu.store.events.of_session(session_id)


@pytest.mark.parametrize("kind", ["text", "result"])
def test_what_an_agent_says_and_is_refused_is_told_in_its_place(lulu: Runtime, kind: str) -> None:
    execute(lulu, REFUSE.format(kind=kind))

    session_id = start(lulu, "Tell me a story")
    session = ended(lulu, session_id, with_type="error")
    told, *_ = errors(lulu, session_id)
    execute(lulu, "DROP TRIGGER refuse")
    lulu.store.commands.submit(SendPrompt(actor=OWNER, session_id=session_id, text="/help"))

    eventually(lambda: lulu.store.events.count(session_id, "user") == 2)
    assert session.status == SessionStatus.COMPLETED
    assert told.code == NOT_SAVED
    assert "could not be saved" in told.message
    assert "Ask the agent for what is missing." in told.message
    assert "refused here" in (told.detail or "")
    assert f"{kind} {{" in (told.detail or "")
    assert lulu.store.events.live_text(session_id) is None
    assert ended(lulu, session_id, with_type="result").status == SessionStatus.COMPLETED


def test_a_prompt_that_is_refused_fails_its_turn_and_says_why(lulu: Runtime) -> None:
    execute(lulu, REFUSE.format(kind="user"))

    session_id = start(lulu, "Tell me a story")
    session = ended(lulu, session_id, with_type="error")

    assert session.status == SessionStatus.FAILED
    assert [error.code for error in errors(lulu, session_id)] == [NOT_SAVED]
    assert lulu.store.commands.pending() == []


def test_a_file_that_refuses_even_the_error_stops_nobody(lulu: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    for number, kind in enumerate(("text", "error")):
        execute(lulu, REFUSE.format(kind=kind).replace("TRIGGER refuse", f"TRIGGER refuse{number}"))

    session_id = start(lulu, "Tell me a story")
    session = ended(lulu, session_id, with_type="result")

    assert session.status == SessionStatus.COMPLETED
    assert "refused here" in caplog.text
