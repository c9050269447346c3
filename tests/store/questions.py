"""Everything that can be asked of a store, for the tests that ask it all."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from lulu.errors import LuluError
from lulu.model.events import Text
from lulu.model.sessions import Launch
from lulu.store import Approval, Query, Show, Store
from lulu.store.parts.access import Accesses
from lulu.store.parts.approvals import Approvals
from lulu.store.parts.commands import Commands
from lulu.store.parts.events import Events
from lulu.store.parts.folders import Folders
from lulu.store.parts.search import Search
from lulu.store.parts.sessions import Sessions

#: The parts of a store, by their names there.
PARTS: dict[str, type] = {
    "access": Accesses,
    "approvals": Approvals,
    "commands": Commands,
    "events": Events,
    "folders": Folders,
    "search": Search,
    "sessions": Sessions,
}


def public_methods() -> dict[str, Callable[..., Any]]:
    """Every public method of every part, by its name with that of the part."""
    return {
        f"{part}.{name}": method
        for part, kind in PARTS.items()
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def call(store: Store, name: str, arguments: dict[str, Any]) -> Any:
    """Call the method of this name, with that of its part."""
    return attrgetter(name)(store)(**arguments)


def request(session_id: str, approval_id: str = "request-1") -> Approval:
    """What an agent asks."""
    return Approval(
        id=approval_id,
        session_id=session_id,
        tool_use_id="tool-1",
        agent_id=None,
        tool_name="Bash",
        tool_input={"command": "ls"},
        suggestions=[],
        status="pending",
        updated_input=None,
        reason=None,
        message=None,
        decided_by=None,
        rule_id=None,
        created_at=datetime.now(UTC),
        decided_at=None,
    )


def every_reader(store: Store, session_id: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every question that can be asked of the store."""
    yield "sessions.latest", lambda: store.sessions.latest()
    yield "sessions.latest, searching", lambda: store.sessions.latest(search="hello", show=Show(status="starting"))
    yield "sessions.live", store.sessions.live
    yield "sessions.waiting", store.sessions.waiting
    yield "sessions.cut_off", lambda: store.sessions.cut_off(datetime.now(UTC))
    yield "commands.last_prompts", lambda: store.commands.last_prompts(10)
    yield "folders.answers", store.folders.answers
    yield "folders.questions", store.folders.questions
    yield "folders.question", lambda: store.folders.question(session_id)
    yield "sessions.failed_since", lambda: store.sessions.failed_since(datetime.now(UTC))
    yield "sessions.forks_of", lambda: store.sessions.forks_of(session_id)
    yield "sessions.get", lambda: store.sessions.get(session_id)
    yield "sessions.recent_folders", store.sessions.recent_folders
    yield "events.of_session", lambda: store.events.of_session(session_id)
    yield "events.of_session, the last", lambda: store.events.of_session(session_id, after=1, before=9, limit=1)
    yield "events.latest_texts", lambda: store.events.latest_texts(session_id, 3)
    yield "events.around", lambda: store.events.around(session_id, 2, before=1, after=1)
    yield "events.last", lambda: store.events.last(session_id, "system", subtype="init")
    yield "events.calls_before", lambda: store.events.calls_before(session_id, 9, {"tool-1"})
    yield "events.of_checklist", lambda: store.events.of_checklist(session_id)
    yield "events.count", lambda: store.events.count(session_id, "text")
    yield "events.turn_marks", lambda: store.events.turn_marks(session_id, limit=2)
    yield "events.count_prompts", lambda: store.events.count_prompts(session_id)
    yield "events.context_tokens", lambda: store.events.context_tokens(session_id)
    yield "events.live_text", lambda: store.events.live_text(session_id)
    yield "approvals.find", store.approvals.find
    yield "approvals.find of a session", lambda: store.approvals.find(session_id, status=None)
    yield "approvals.last_answers", lambda: store.approvals.last_answers(5)
    yield "approvals.get", lambda: store.approvals.get("request-1")
    yield "approvals.mode_with_answer", lambda: store.approvals.mode_with_answer(session_id, "request-1")
    yield "sessions.may_bypass", lambda: store.sessions.may_bypass(session_id)
    yield "commands.pending", store.commands.pending
    yield "sessions.on_hold", store.sessions.on_hold
    yield "commands.queued_prompts", lambda: store.commands.queued_prompts(session_id)
    yield "commands.attachments", lambda: store.commands.attachments([1])
    yield "commands.files_of", lambda: store.commands.files_of(session_id)
    yield "approvals.rules", store.approvals.rules
    yield "search.find", lambda: store.search.find(Query(text="words"))
    yield "search.find for a short word", lambda: store.search.find(Query(text="so"))
    yield "search.not_indexed", store.search.not_indexed
    yield "access.by_hash", lambda: store.access.by_hash("0" * 64)
    yield "access.get", lambda: store.access.get(1)
    yield "access.find", store.access.find
    yield "access.find of a session", lambda: store.access.find(session_id=session_id)
    yield "access.setting", lambda: store.access.setting("lan")
    yield "commands.latest_actions", lambda: store.commands.latest_actions(limit=5)


def read_all(store: Store) -> int:
    """Everything that pages ask for; the number of sessions that could be read."""
    read = 0
    for session in store.sessions.latest(limit=1000):
        try:
            store.sessions.get(session.id)
            store.events.of_session(session.id)
            store.events.live_text(session.id)
            read += 1
        except LuluError:
            continue
    store.approvals.find(status=None)
    store.commands.pending()
    return read


def write(store: Store, launch: Launch) -> None:
    session_id = store.sessions.insert(launch)
    store.events.insert(session_id, Text(content="after the damage"))
    assert [event.event for event in store.events.of_session(session_id)] == [Text(content="after the damage")]
