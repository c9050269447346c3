"""What a turn took: its end and its session tell how long people were waited for."""

from __future__ import annotations

from pathlib import Path

from lulu.model.actors import LULU
from lulu.model.events import Result, User
from lulu.model.sessions import Launch, SessionStatus
from lulu.store import Change, Store
from lulu.ui import formats
from lulu.ui.session import header
from tests.store.files import execute
from tests.store.questions import request


def test_the_end_of_a_turn_and_the_session_tell_both(store: Store, path: Path, launch: Launch) -> None:
    session_id = store.sessions.insert(launch, status=SessionStatus.RUNNING)

    def turn(number: int, *, waited: int, took: int) -> None:
        store.events.append(session_id, [User(text="go")])
        store.approvals.ask(request(session_id, f"r{number}")).result(10)
        store.approvals.decide(LULU, f"r{number}", approve=True)
        # By a rule: nobody was waited for.
        store.approvals.decide_by_rule(request(session_id, f"rule{number}"), None, approve=True, why="").result(10)
        for table, column in (("conversation_events", "event_type = 'user'"), ("approvals", "id LIKE 'r%'")):
            moved = "strftime('%Y-%m-%dT%H:%M:%fZ', created_at, ?)"
            execute(path, f"UPDATE {table} SET created_at = {moved} WHERE {column}", f"-{waited} seconds")
        milliseconds = took * 1000
        store.events.record(
            Change(
                session_id=session_id,
                events=[Result(duration_ms=milliseconds, num_turns=3)],
                status=SessionStatus.COMPLETED,
                duration_ms=milliseconds,
                num_turns=3,
            )
        ).result(10)
        store.sessions.move(session_id, SessionStatus.RUNNING)

    turn(1, waited=780, took=790)
    turn(2, waited=60, took=70)

    ends = [one.event for one in store.events.of_session(session_id) if isinstance(one.event, Result)]
    assert [round((end.waited_ms or 0) / 1000) for end in ends] == [780, 60]
    found = store.sessions.get(session_id)
    assert round((found.waited_ms or 0) / 1000) == 840
    assert "waited 14 min" in header.details(found)
    assert "6 steps" in header.details(found)
    assert formats.took(10_000, 780_000) == "10 s · waited 13 min"
