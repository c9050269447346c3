"""Everything that can be asked of a store, for the tests that ask it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from lulu.errors import LuluError
from lulu.model.events import Text
from lulu.model.sessions import Launch
from lulu.store import Approval, Query, Show, Store


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
    yield "list_sessions", lambda: store.list_sessions()
    yield "list_sessions, searching", lambda: store.list_sessions(search="hello", show=Show(status="starting"))
    yield "live_sessions", store.live_sessions
    yield "waiting_sessions", store.waiting_sessions
    yield "cut_off_sessions", lambda: store.cut_off_sessions(datetime.now(UTC))
    yield "last_prompts", lambda: store.last_prompts(10)
    yield "folder_answers", store.folder_answers
    yield "folder_questions", store.folder_questions
    yield "folder_question", lambda: store.folder_question(session_id)
    yield "failed_since", lambda: store.failed_since(datetime.now(UTC))
    yield "forks_of", lambda: store.forks_of(session_id)
    yield "get_session", lambda: store.get_session(session_id)
    yield "recent_folders", store.recent_folders
    yield "get_session_events", lambda: store.get_session_events(session_id)
    yield "get_session_events, the last", lambda: store.get_session_events(session_id, after=1, before=9, limit=1)
    yield "latest_texts", lambda: store.latest_texts(session_id, 3)
    yield "events_around", lambda: store.events_around(session_id, 2, before=1, after=1)
    yield "last_event", lambda: store.last_event(session_id, "system", subtype="init")
    yield "calls_before", lambda: store.calls_before(session_id, 9, {"tool-1"})
    yield "checklist_events", lambda: store.checklist_events(session_id)
    yield "count_events", lambda: store.count_events(session_id, "text")
    yield "turn_marks", lambda: store.turn_marks(session_id, limit=2)
    yield "count_prompts", lambda: store.count_prompts(session_id)
    yield "context_tokens", lambda: store.context_tokens(session_id)
    yield "live_text", lambda: store.live_text(session_id)
    yield "approvals", store.approvals
    yield "approvals of a session", lambda: store.approvals(session_id, status=None)
    yield "last_answers", lambda: store.last_answers(5)
    yield "get_approval", lambda: store.get_approval("request-1")
    yield "mode_with_answer", lambda: store.mode_with_answer(session_id, "request-1")
    yield "may_bypass", lambda: store.may_bypass(session_id)
    yield "pending_commands", store.pending_commands
    yield "sessions_on_hold", store.sessions_on_hold
    yield "queued_prompts", lambda: store.queued_prompts(session_id)
    yield "attachments", lambda: store.attachments([1])
    yield "files_of", lambda: store.files_of(session_id)
    yield "rules", store.rules
    yield "search", lambda: store.search(Query(text="words"))
    yield "search for a short word", lambda: store.search(Query(text="so"))
    yield "not_indexed", store.not_indexed
    yield "access_by_hash", lambda: store.access_by_hash("0" * 64)
    yield "get_access", lambda: store.get_access(1)
    yield "accesses", store.accesses
    yield "accesses of a session", lambda: store.accesses(session_id=session_id)
    yield "setting", lambda: store.setting("lan")
    yield "latest_actions", lambda: store.latest_actions(limit=5)


def read_all(store: Store) -> int:
    """Everything that pages ask for; the number of sessions that could be read."""
    read = 0
    for session in store.list_sessions(limit=1000):
        try:
            store.get_session(session.id)
            store.get_session_events(session.id)
            store.live_text(session.id)
            read += 1
        except LuluError:
            continue
    store.approvals(status=None)
    store.pending_commands()
    return read


def write(store: Store, launch: Launch) -> None:
    session_id = store.insert_session(launch)
    store.insert_event(session_id, Text(content="after the damage"))
    assert [event.event for event in store.get_session_events(session_id)] == [Text(content="after the damage")]
