"""A plan or a checklist of many steps in a real browser: what stands below it stays near, and each step is reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from lulu.model.events import Permission, PermissionDecision, ToolResult, ToolUse, User
from lulu.model.sessions import Launch, SessionStatus
from lulu.store import Store
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import at_rest
from tests.e2e.prompts import PATIENCE
from tests.e2e.test_pages import fold_of
from tests.e2e.test_reading import scroll_up
from tests.ui.support import approval

STEPS = 150
PLAN = "\n".join(f"{number}. Move module {number}" for number in range(1, STEPS + 1))


@pytest.fixture
def viewer(server: NewServer, new_viewer: Callable[..., Viewer]) -> Viewer:
    """Somebody before a session in which a plan was approved, a checklist written, and a second plan left open."""
    lulu = server(env={"LULU_AGENT": "demo"}, start=False)
    store = Store.open(lulu.database)
    launch = Launch(prompt="Move it all", working_directory=str(lulu.work_dir), agent="demo")
    session_id = store.sessions.insert(launch, status=SessionStatus.COMPLETED)
    todos = [{"content": f"Item {number}", "status": "pending"} for number in range(1, STEPS + 1)]
    store.events.append(
        session_id,
        [
            User(text="Move it all"),
            ToolUse(id="plan", name="ExitPlanMode", input={"plan": PLAN}),
            Permission(id="ask", tool_use_id="plan", tool_name="ExitPlanMode", tool_input={"plan": PLAN}),
            PermissionDecision(id="ask", decision="approved"),
            ToolResult(tool_use_id="plan", content="ok"),
            ToolUse(id="todo", name="TodoWrite", input={"todos": todos}),
            ToolResult(tool_use_id="todo", content="ok"),
        ],
    )
    store.approvals.ask(approval(session_id, "open", tool_name="ExitPlanMode", tool_input={"plan": PLAN})).result(5)
    store.close()
    lulu.start()
    viewer = new_viewer()
    viewer.sign_in(lulu)
    viewer.page.goto(f"{lulu.url}/session?id={session_id}")
    return viewer


@pytest.mark.long
def test_many_steps_scroll_in_a_part_of_the_window(viewer: Viewer) -> None:
    page = viewer.page
    expect(page.locator(".st-key-scrolling_plan_open")).to_be_visible(timeout=PATIENCE)
    # A page is at its end, and stays there until somebody scrolls.
    page.wait_for_function("() => window.luluReading?.isPlaced()", timeout=PATIENCE)
    at_rest(page)
    scroll_up(page, 100_000)
    check_reach(page.locator("[class*=st-key-call_] [class*=st-key-scrolling_plan_]"))
    check_reach(page.locator(".st-key-scrolling_plan_open"))
    fold_of(page, "0 of 150 done").locator("> summary").click(timeout=PATIENCE)
    check_reach(page.locator("[class*=st-key-call_] [class*=st-key-scrolling_todos_]"))


def check_reach(box: Locator) -> None:
    expect(box).to_be_visible(timeout=PATIENCE)
    last = box.get_by_text(str(STEPS), exact=False).last
    last.scroll_into_view_if_needed(timeout=PATIENCE)
    expect(last).to_be_in_viewport(timeout=PATIENCE)
    shown, whole = box.evaluate("box => [box.clientHeight, box.scrollHeight]")
    assert 100 < shown <= 0.6 * box.evaluate("() => innerHeight") < whole
