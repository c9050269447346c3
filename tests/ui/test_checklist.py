"""The checklist: read out of the agent's calls, and kept current above the prompt box."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lulu.model.events import Event, ToolResult, ToolUse, User
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.store import row_topic
from lulu.transcript import checklist
from tests.samples import stored
from tests.ui.conftest import OpenPage
from tests.ui.support import folds, text_of


def create(number: int, *, ok: bool = True, call: str | None = None) -> list[Event]:
    call = call or f"c{number}"
    use = ToolUse(id=call, name="TaskCreate", input={"subject": f"Step {number}", "activeForm": "Stepping"})
    answer = ToolResult(tool_use_id=call, content="", is_error=not ok, data={"task": {"id": str(number)}})
    return [use, answer]


def update(number: int, **change: str) -> ToolUse:
    return ToolUse(id=f"u{number}", name="TaskUpdate", input={"taskId": str(number), **change})


def todos(*statuses: str, parent: str | None = None) -> ToolUse:
    entries = [{"content": f"Todo {place}", "status": status} for place, status in enumerate(statuses)]
    return ToolUse(id="t", name="TodoWrite", input={"todos": entries}, parent=parent)


THREE = [*create(1), *create(2), *create(3)]


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([], []),
        (THREE, ["Step 1 pending", "Step 2 pending", "Step 3 pending"]),
        ([*THREE, update(2, status="in_progress")], ["Step 1 pending", "Step 2 in_progress", "Step 3 pending"]),
        ([*THREE, update(2, status="deleted")], ["Step 1 pending", "Step 3 pending"]),
        ([*create(1), update(1, subject="Another", status="completed")], ["Another completed"]),
        ([*create(1), update(1, status="completed"), *create(2)], ["Step 2 pending"]),
        ([*create(1), *create(2, ok=False), update(7, status="completed")], ["Step 1 pending"]),
        ([*THREE, todos("completed", "pending")], ["Todo 0 completed", "Todo 1 pending"]),
        ([todos("pending"), todos("completed")], ["Todo 0 completed"]),
        ([todos("pending"), *create(1)], ["Step 1 pending"]),
        ([todos("pending"), todos("completed", parent="toolu_agent")], ["Todo 0 pending"]),
        ([ToolUse(id="x", name="TodoWrite", input={"todos": ["odd", {}, 7]})], [" pending"]),
        ([ToolUse(id="x", name="TodoWrite", input={"todos": 7})], []),
        ([*create(1, call="0"), *create(2, call="0"), *create(3, call="0")], [f"Step {n} pending" for n in (1, 2, 3)]),
        ([create(1, call="0")[0], *create(2, call="0")], ["Step 1 pending", "Step 2 pending"]),
        ([*create(1, call="1"), *create(2, call="1", ok=False)], ["Step 1 pending"]),
    ],
)
def test_the_list_is_as_the_last_calls_leave_it(events: list[Event], left: list[str]) -> None:
    made = checklist.from_events(stored(events))

    assert [f"{item.text} {item.status}" for item in made.items] == left


def test_the_panel_is_current_and_goes_when_it_is_of_the_past(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    lulu.store.events.append(session_id, [*THREE, update(1, status="completed"), update(2, status="in_progress")])
    app = open_page("session", id=session_id)

    assert "1 of 3 done · Stepping" in text_of(app)
    assert "**Step 2**" in text_of(app)

    rung = lulu.store.bus.version(row_topic(session_id))
    lulu.store.events.append(session_id, [update(2, status="completed"), update(3, status="completed")])

    assert lulu.store.bus.version(row_topic(session_id)) > rung
    assert "3 of 3 done" in text_of(app.run())
    assert "**Step 2**" not in text_of(app)
    assert f"checklist_done_{session_id}" in folds(app)

    lulu.store.events.insert(session_id, User(text="And now?"))

    assert "of 3 done" not in text_of(app.run())


def test_a_session_without_a_list_has_no_panel(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    lulu.store.events.append(session_id, [ToolUse(id="a", name="Task", input={"description": "Look"})])

    app = open_page("session", id=session_id)

    assert not [key for key in folds(app) if key.startswith("checklist")]
