"""The queue, the composer, the session's menu, forks: each click becomes its command."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from lulu.errors import InputError, SessionNotFound
from lulu.model.commands import Interrupt, SendPrompt, SetPermissionMode, StartSession
from lulu.model.events import Result, Text, ToolResult, ToolUse, User
from lulu.model.sessions import Launch, SessionId, SessionStatus, new_session_id
from lulu.model.validation import BYPASS, Attachment
from lulu.runtime import Runtime
from tests.samples import HOSTILE
from tests.support import eventually
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import keys_of, links, open_popover, rows, text_of

NewSession = Callable[..., SessionId]

#: The smallest GIF.
GIF = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")


@pytest.fixture
def queue(lulu: Runtime) -> tuple[SessionId, list[int]]:
    """A session whose agent takes its time, and three prompts behind the running one."""
    session_id = lulu.store.sessions.insert(
        Launch(prompt="Stall", working_directory=str(lulu.settings.working_directory), agent="demo"),
        status=SessionStatus.COMPLETED,
    )
    lulu.store.commands.submit(SendPrompt(actor=OWNER, session_id=session_id, text="Stall, please."))
    eventually(lambda: lulu.store.sessions.get(session_id).is_live)
    ids = [
        int(lulu.store.commands.submit(SendPrompt(actor=OWNER, session_id=session_id, text=f"prompt {number}.")))
        for number in (1, 2, 3)
    ]
    return session_id, ids


def queued(lulu: Runtime, session_id: SessionId) -> list[str]:
    return [str(getattr(stored.command, "text", "")) for stored in lulu.store.commands.queued_prompts(session_id)]


# ---- the queue


def test_a_stop_puts_the_queue_on_hold_and_every_page_says_so(
    open_page: OpenPage, lulu: Runtime, queue: tuple[SessionId, list[int]]
) -> None:
    session_id, (_, second, _) = queue
    app = open_page("session", id=session_id)
    lulu.store.commands.submit(Interrupt(actor=OWNER, session_id=session_id))
    eventually(lambda: lulu.store.sessions.get(session_id).status == SessionStatus.INTERRUPTED)

    app.run()
    session_page, home = text_of(app), open_page()

    assert "3 prompts are on hold" in session_page
    assert ":orange[3 on hold]" in app.main.caption[0].value
    assert "3 on hold" in rows(app)[0]
    assert "3 on hold" in text_of(home)
    app.button(key=f"withdraw_{second}").click().run()
    assert "2 prompts are on hold" in text_of(app)
    app.button(key=f"delete_held_{session_id}").click().run()
    assert "on hold" not in text_of(app)
    assert queued(lulu, session_id) == []


def test_the_queue_is_shown_in_order_edited_and_shortened(
    open_page: OpenPage, lulu: Runtime, queue: tuple[SessionId, list[int]]
) -> None:
    session_id, (first, second, _) = queue
    app = open_popover(open_page("session", id=session_id), f"edit_queued_{first}")
    shown = text_of(app)

    app.text_area(key=f"edited_queued_{first}").set_value("prompt one.")
    app.button(key=f"save_queued_{first}").click().run()
    app.button(key=f"withdraw_{second}").click().run()

    assert shown.index("prompt 1.") < shown.index("prompt 2.") < shown.index("prompt 3.")
    assert "3rd in the queue" in shown
    assert queued(lulu, session_id) == ["prompt one.", "prompt 3."]


def test_send_now_interrupts_and_is_sent_once_and_first(
    open_page: OpenPage, lulu: Runtime, queue: tuple[SessionId, list[int]]
) -> None:
    session_id, (_, _, third) = queue
    app = open_page("session", id=session_id)

    app.button(key=f"send_now_{third}").click().run()

    eventually(lambda: len(prompts(lulu, session_id)) > 1, timeout=30)
    assert prompts(lulu, session_id)[1] == "prompt 3."
    assert "prompt 3." not in queued(lulu, session_id)


def prompts(lulu: Runtime, session_id: SessionId) -> list[str]:
    events = [stored.event for stored in lulu.store.events.of_session(session_id)]
    return [event.text for event in events if isinstance(event, User)]


# ---- the composer


def test_files_go_with_a_prompt_and_are_shown(open_page: OpenPage, lulu: Runtime) -> None:
    app = open_page()

    box = app.chat_input(key="prompt").set_value("Tell me a story")
    box.upload("dot.gif", GIF, "image/gif")
    box.upload("notes.md", b"# **notes**", "text/markdown")
    app.run()

    session_id = SessionId(str(app.query_params["id"]))
    eventually(lambda: prompts(lulu, session_id))
    shown = text_of(app.run())
    assert not app.error
    assert "dot.gif" in shown
    assert "notes.md" in shown
    assert [file.name for file in lulu.store.commands.attachments([1, 2])] == ["dot.gif", "notes.md"]


def test_a_file_that_cannot_be_sent_keeps_the_prompt(open_page: OpenPage, lulu: Runtime) -> None:
    app = open_page()

    app.chat_input(key="prompt").set_value("Look").upload("a.bin", b"\0\xff", "application/octet-stream")
    app.run()

    assert "neither an image" in app.error[0].value
    assert app.chat_input(key="prompt").proto.value == "Look"
    assert lulu.store.sessions.latest() == []


def test_an_image_that_is_none_is_told(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = new_session()
    monkeypatch.setattr("lulu.model.commands.checked_attachments", lambda attachments: None)
    broken = Attachment(name=HOSTILE, media_type="image/png", content=b"no image")
    lulu.store.commands.submit(SendPrompt(actor=OWNER, session_id=session_id, text="echo hi", attachments=[broken]))
    eventually(lambda: prompts(lulu, session_id))

    assert "cannot be shown" in text_of(open_page("session", id=session_id))


def test_mode_and_model_change_in_mid_session(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session()
    app = open_popover(open_page("session", id=session_id), "mode_menu")

    app.button(key="set_mode_plan").click().run()
    open_popover(app, "model_menu").button(key="set_model_opus").click().run()

    eventually(lambda: lulu.store.sessions.get(session_id).model == "opus")
    assert lulu.store.sessions.get(session_id).permission_mode == "plan"
    assert "set_mode_bypassPermissions" not in keys_of(app)


def test_bypass_is_marked_and_only_offered_where_it_was_launched(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    launch = Launch(prompt="x", working_directory="/", permission_mode="bypassPermissions", agent="demo")
    session_id = lulu.store.sessions.insert(launch, status=SessionStatus.COMPLETED)

    app = open_popover(open_page("session", id=session_id), "mode_menu")

    assert ":red-badge[bypasses permissions]" in text_of(app)
    assert "set_mode_bypassPermissions" in keys_of(app)


def has_mode(lulu: Runtime, session_id: SessionId, mode: str) -> bool:
    return lulu.store.sessions.get(session_id).permission_mode == mode


def test_bypass_comes_back_where_it_was_launched_and_is_refused_elsewhere(
    lulu: Runtime, new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    launch = Launch(prompt="echo hi", working_directory="/", permission_mode="bypassPermissions", agent="demo")
    launched, other = new_session_id(), new_session()
    lulu.store.commands.submit(StartSession(actor=OWNER, session_id=launched, launch=launch))
    eventually(lambda: lulu.store.sessions.get(launched).status == SessionStatus.COMPLETED)

    for mode in ("default", BYPASS):
        lulu.store.commands.submit(SetPermissionMode(actor=OWNER, session_id=launched, mode=mode))
        eventually(partial(has_mode, lulu, launched, mode))
        assert lulu.store.sessions.may_bypass(launched)

    with pytest.raises(InputError, match="wasn't started with bypass"):
        lulu.store.commands.submit(SetPermissionMode(actor=OWNER, session_id=other, mode=BYPASS))
    assert not lulu.store.sessions.may_bypass(other)
    assert lulu.store.commands.pending() == []


# ---- one session


def test_the_menu_renames_pins_archives_and_sets_limits(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session("old words")
    app = open_popover(open_page("session", id=session_id), "session_menu")

    app.text_input(key=f"rename_{session_id}").set_value("A new title").run()
    app.button(key=f"pin_{session_id}").click().run()
    app.number_input(key=f"max_cost_{session_id}").set_value(2.5)
    app.number_input(key=f"max_turns_{session_id}").set_value(7)
    app.button(key=f"set_budget_{session_id}").click().run()
    app.button(key=f"archive_{session_id}").click().run()

    session = lulu.store.sessions.get(session_id)
    assert (session.title, session.title_source) == ("A new title", "person")
    assert session.pinned_at
    assert session.archived_at
    assert (session.max_cost_usd, session.max_turns) == (2.5, 7)
    assert "# A new title" in text_of(app)


def test_deleting_is_asked_twice_and_leads_home(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session("delete me")
    app = open_popover(open_page("session", id=session_id), "session_menu")
    before = keys_of(app)

    app.toggle(key=f"delete_sure_{session_id}").set_value(True).run()
    app.button(key=f"delete_{session_id}").click().run()

    assert f"delete_{session_id}" not in before
    with pytest.raises(SessionNotFound):
        lulu.store.sessions.get(session_id)
    assert "What should the agent do?" in text_of(app)


def test_a_live_session_is_not_deleted(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    app = open_popover(open_page("session", id=session_id), "session_menu")

    app.toggle(key=f"delete_sure_{session_id}").set_value(True).run()
    app.button(key=f"delete_{session_id}").click().run()

    assert "running session" in app.info[0].value
    assert lulu.store.sessions.get(session_id).status == "running"


def fork_from_first_turn(app: AppTest, lulu: Runtime, session_id: SessionId) -> None:
    first = next(row for row in lulu.store.events.of_session(session_id) if isinstance(row.event, User))
    (key,) = [key for key in keys_of(open_popover(app, f"copy_{first.id}")) if key.startswith("fork_at_")]
    app.button(key=key).click().run()


def test_a_fork_from_a_turn_knows_its_parent_and_both_show_the_link(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session("the parent")
    for number in (1, 2):
        lulu.store.events.append(session_id, [User(text=f"prompt {number}."), Text(content=f"answer {number}.")])
    app = open_page("session", id=session_id)

    fork_from_first_turn(app, lulu, session_id)

    (forked,) = lulu.store.sessions.forks_of(session_id)
    shown = text_of(app)
    assert app.query_params["id"] == forked.id
    assert forked.parent_session_id == session_id
    assert "answer 1." in shown
    assert "answer 2." not in shown
    assert any("Forked from the parent" in label for label in links(app))
    assert any("Fork: the parent" in label for label in links(open_page("session", id=session_id)))


def test_a_fork_from_a_turn_leaves_out_later_ones_where_its_sub_agent_worked_on(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session()
    lulu.store.events.append(
        session_id,
        [
            User(text="prompt 1."),
            ToolUse(id="task", name="Task", input={"description": "work on"}),
            ToolResult(tool_use_id="task", content="It works in the background."),
            Result(),
            User(text="prompt 2."),
            Text(content="said late", parent="task"),
            Text(content="answer 2."),
            Result(),
        ],
    )
    app = open_page("session", id=session_id)

    fork_from_first_turn(app, lulu, session_id)

    (forked,) = lulu.store.sessions.forks_of(session_id)
    assert [row.event.text for row in lulu.store.events.of_session(forked.id) if isinstance(row.event, User)] == [
        "prompt 1."
    ]


# ---- a plan, to its end


def test_an_approved_plan_edits_without_asking_again(open_page: OpenPage, lulu: Runtime) -> None:
    session_id = new_session_id()
    launch = Launch(
        prompt="Make a plan first.",
        working_directory=str(lulu.settings.working_directory),
        permission_mode="plan",
        agent="demo",
    )
    lulu.store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))
    (plan,) = eventually(lambda: lulu.store.approvals.find(session_id), timeout=30)

    open_page("inbox").button(key=f"approve_edits_{plan.id}").click().run()

    eventually(lambda: lulu.store.sessions.get(session_id).status == "completed", timeout=30)
    assert lulu.store.sessions.get(session_id).permission_mode == "acceptEdits"
    assert len(lulu.store.approvals.find(session_id, status=None)) == 1
