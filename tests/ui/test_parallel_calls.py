"""Hundreds of calls at once: a page that begins between them and their answers says of each what it was."""

from __future__ import annotations

from typing import Any

import pytest

from lulu.access.source import OwnerEvents
from lulu.model.actors import LULU, Actor, Role
from lulu.model.events import Event, Permission, PermissionDecision, StoredEvent, Text, ToolResult, ToolUse, User
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.store import ShareOptions
from lulu.ui.session.feed import WINDOW, earlier_calls
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import folds, text_of
from tests.ui.test_roles import AsActor, NewSession

CALLS = 300


def answers(lulu: Runtime, session_id: SessionId, *, asked: bool) -> list[StoredEvent]:
    """Store calls in parallel, all asked about or none, and then their answers; the answers as rows."""
    names = range(CALLS)
    log: list[Event] = [User(text="Go")]
    log += [ToolUse(id=f"toolu_{n}", name="Bash", input={"command": f"echo {n} é\n" * 99}) for n in names]
    for n in names if asked else ():
        log.append(Permission(id=f"ask-{n}", tool_use_id=f"toolu_{n}", tool_name="Bash", tool_input={}))
        log.append(PermissionDecision(id=f"ask-{n}", decision="approved", actor="Ann"))
    lulu.store.events.append(session_id, [*log, *(ToolResult(tool_use_id=f"toolu_{n}", content=str(n)) for n in names)])
    return lulu.store.events.of_session(session_id, limit=CALLS)


@pytest.mark.parametrize("asked", [True, False], ids=["asked about", "not asked about"])
def test_the_calls_of_answers_are_read_from_far_above_them(lulu: Runtime, new_session: NewSession, asked: bool) -> None:
    shown = answers(lulu, new_session(), asked=asked)

    source = OwnerEvents(lulu.store, SessionId(shown[0].session_id))
    found = earlier_calls(source, shown[-WINDOW:])

    uses = [row.event.id for row in found if isinstance(row.event, ToolUse)]
    assert uses == [f"toolu_{n}" for n in range(CALLS - WINDOW, CALLS)]
    assert earlier_calls(source, source.events().rows) == []


@pytest.mark.parametrize("live", [True, False], ids=["at work", "over"])
@pytest.mark.parametrize("viewer", ["owner", "guest", "search"])
def test_a_page_names_calls_in_parallel(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession, as_actor: AsActor, viewer: str, live: bool
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING if live else SessionStatus.COMPLETED)
    shown = answers(lulu, session_id, asked=True)
    lulu.store.events.append(session_id, [Text(content="All done.")])
    if viewer == "guest":
        made = lulu.store.access.share(LULU, session_id, "a" * 64, expires_at=None, options=ShareOptions(), label="Ann")
        as_actor(Actor(role=Role.GUEST, name="Ann", access_id=made.id, session_id=session_id))
    else:
        as_actor(OWNER)
    query = {"event": str(shown[-20].id)} if viewer == "search" else {}

    app = open_page("watch" if viewer == "guest" else "session", id=str(session_id), **query)

    said = [label for key, label in folds(app).items() if key.startswith(("call_", "run_"))]
    assert said
    assert all(label.startswith("**Bash") for label in said), said
    assert "not shown" not in text_of(app)


def test_a_call_that_the_log_does_not_tell_is_drawn_in_words(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session()
    review = [Text(content="Looks good.", parent="forked-command-code-review")]
    lulu.store.events.append(
        session_id, [User(text="/review"), *review, Text(content="-"), ToolResult(tool_use_id="toolu_1")]
    )

    said = folds(open_page("session", id=str(session_id))).values()

    assert {"**Sub-agent forked-command-code-review**", "**Result of a call that is not shown**"} <= set(said)


def test_one_query_finds_calls_and_another_only_where_an_id_comes_again(
    lulu: Runtime, new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = new_session()
    agent = ToolUse(id="agent", name="Agent", input={})
    again = [ToolUse(id="call_0", name="Bash", input={"command": str(n)}) for n in range(9)]
    lulu.store.events.append(session_id, [agent, *again, *(Text(content="x") for _ in range(9))])
    asked: list[str] = []
    query = lulu.store.events._query

    def counted(sql: str, **values: Any) -> list[dict[str, Any]]:
        asked.append(sql)
        return query(sql, **values)

    monkeypatch.setattr(lulu.store.events, "_query", counted)

    def found(*names: str) -> tuple[int, list[str]]:
        asked.clear()
        rows = lulu.store.events.calls_before(session_id, 10**9, names)
        return len(asked), [row.event.name for row in rows if isinstance(row.event, ToolUse)]

    assert found("call_0") == (1, ["Bash"])
    assert found("agent") == (1, ["Agent"])
    assert found("nobody", "agent") == (1, ["Agent"])
    assert found("call_0", "agent") == (2, ["Agent", "Bash", "Bash"])
