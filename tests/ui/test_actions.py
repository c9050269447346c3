"""What a person does on a page becomes a command; what is refused is told, and what was typed stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lulu.agent.demo.scripts import scripts
from lulu.engine.turns import failure
from lulu.errors import AgentError
from lulu.model.commands import SendPrompt
from lulu.model.events import Event, Result, Text, ToolResult, ToolUse, User
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.text.labels import one_line
from lulu.ui.home import new_session as launch
from tests.samples import HOSTILE
from tests.support import eventually
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import ask, folds, links, rows, text_of

NewSession = Callable[..., SessionId]


def send(app: AppTest, prompt: str) -> AppTest:
    return app.chat_input(key="prompt").set_value(prompt).run()


def test_a_prompt_starts_a_session_and_opens_it(open_page: OpenPage, lulu: Runtime, tmp_path: Path) -> None:
    app = open_page()
    app.selectbox(key="permission_mode").set_value("plan")
    app.text_input(key="title").set_value("My title")

    send(app, "Tell me a story")

    (session,) = lulu.store.sessions.latest()
    assert app.query_params["id"] == session.id
    assert "# My title" in text_of(app)
    assert (session.prompt, session.title, session.permission_mode) == ("Tell me a story", "My title", "plan")
    assert (session.working_directory, session.agent) == (str(tmp_path / "work"), "demo")
    assert ":primary" not in rows(app)[0]


@pytest.mark.parametrize(
    ("prompt", "told", "stays"),
    [
        ("x" * 2_000_001, "characters long", True),
        # Put back late, it would stand in the place of what is typed next.
        ("   ", "The prompt is empty", False),
    ],
)
def test_a_prompt_that_is_refused_stays_in_the_box(
    open_page: OpenPage, lulu: Runtime, prompt: str, told: str, stays: bool
) -> None:
    app = send(open_page(), prompt)

    assert told in app.error[0].value
    assert app.chat_input(key="prompt").proto.value == (prompt if stays else "")
    assert lulu.store.sessions.latest() == []


@pytest.mark.parametrize("now", ["gone", "a file"])
def test_a_folder_that_cannot_be_used_any_more_is_told(
    open_page: OpenPage, lulu: Runtime, tmp_path: Path, now: str
) -> None:
    folder = tmp_path / "recent"
    folder.mkdir()
    lulu.store.sessions.insert(Launch(prompt="x", working_directory=str(folder)), status=SessionStatus.COMPLETED)
    app = open_page()
    app.text_input(key="cwd").set_value(str(folder))
    folder.rmdir()
    if now == "a file":
        folder.write_text("x")

    send(app, "Tell me a story")

    assert "The working directory" in app.error[0].value
    assert app.chat_input(key="prompt").proto.value == "Tell me a story"
    assert len(lulu.store.sessions.latest()) == 1


def test_recent_folders_are_offered_while_they_exist(open_page: OpenPage, lulu: Runtime, tmp_path: Path) -> None:
    for name in ("here", "gone"):
        folder = str(tmp_path / name)
        lulu.store.sessions.insert(Launch(prompt="x", working_directory=folder), status=SessionStatus.COMPLETED)
    (tmp_path / "here").mkdir()

    app = open_page()
    offered = [button for button in app.main.button if str(button.key).startswith("recent_cwd")]

    assert [button.label.strip("`") for button in offered] == [str(tmp_path / "work"), str(tmp_path / "here")]
    offered[1].click().run()
    assert app.text_input(key="cwd").value == str(tmp_path / "here")


def test_a_problem_is_gone_after_the_next_try(open_page: OpenPage) -> None:
    app = send(open_page(), " ")

    send(app, "Tell me a story")

    assert not app.error


def test_bypassing_permissions_is_refused_for_root(
    open_page: OpenPage, lulu: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("IS_SANDBOX", "yes")
    app = open_page()
    app.selectbox(key="permission_mode").set_value("bypassPermissions")

    send(app, "Tell me a story")

    assert "root" in app.error[0].value
    assert app.chat_input(key="prompt").proto.value == "Tell me a story"
    assert lulu.store.sessions.latest() == []
    monkeypatch.setenv("IS_SANDBOX", "1")
    send(app, "Tell me a story")
    assert [session.permission_mode for session in lulu.store.sessions.latest()] == ["bypassPermissions"]


def test_an_example_is_put_into_the_box(open_page: OpenPage) -> None:
    app = open_page()
    examples = [button for button in app.button if str(button.key).startswith("example_")]

    examples[0].click().run()

    assert len(examples) == 3
    assert app.chat_input(key="prompt").proto.value == next(iter(launch.EXAMPLE_PROMPTS.values()))


def test_a_follow_up_waits_for_the_running_turn(open_page: OpenPage, lulu: Runtime) -> None:
    app = send(open_page(), "Stall, please.")
    session_id = SessionId(str(app.query_params["id"]))
    eventually(lambda: lulu.store.events.live_text(session_id))

    send(app, "And now the tests")

    (queued,) = lulu.store.commands.queued_prompts(session_id)
    assert queued.command == SendPrompt(actor=OWNER, session_id=session_id, text="And now the tests")
    assert "And now the tests" in text_of(app)
    assert "Next in the queue" in text_of(app)


def test_a_refused_follow_up_stays_in_the_box(open_page: OpenPage, new_session: NewSession) -> None:
    too_long = "x" * 2_000_001

    app = send(open_page("session", id=new_session()), too_long)

    assert "characters long" in app.error[0].value
    assert app.chat_input(key="prompt").proto.value == too_long
    assert "The prompt is empty" in send(app, " \n").error[0].value
    assert app.chat_input(key="prompt").proto.value == ""


def test_what_failed_says_what_to_do_once(open_page: OpenPage, new_session: NewSession, lulu: Runtime) -> None:
    crashed, cut_off = new_session(status=SessionStatus.FAILED), new_session(status=SessionStatus.INTERRUPTED)
    error = AgentError("The process ended with exit code 139.", next_step="Type to continue the session.")
    lulu.store.events.insert(crashed, failure(error))
    lulu.store.events.append(
        cut_off, [Text(content="Once upon"), Result(is_error=True, terminal_reason="aborted_streaming")]
    )

    box = open_page("session", id=crashed).error[0].value
    stopped = text_of(open_page("session", id=cut_off))

    assert "exit code 139" in box
    assert box.count("Type to continue") == 1
    assert "Send a prompt" not in box
    assert "Stopped here." in stopped
    assert ":orange[Stopped]" in stopped


def test_stop_asks_to_interrupt(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    app = send(open_page(), "Stall, please.")
    session_id = SessionId(str(app.query_params["id"]))
    eventually(lambda: lulu.store.events.live_text(session_id))

    app.run()
    app.button(key="stop").click().run()

    assert not app.error
    eventually(lambda: lulu.store.sessions.get(session_id).status == "interrupted")


def test_a_request_shows_its_whole_input_and_can_be_approved(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    ask(lulu, session_id)

    app = open_page("session", id=session_id)
    shown = text_of(app)
    app.button(key="approve_a1").click().run()

    assert "rm -r build" in shown
    assert '"timeout": 5' in shown
    assert "Deletes files" in shown
    (decided,) = lulu.store.approvals.find(session_id, status=None)
    assert (decided.status, decided.decided_by, decided.message) == ("approved", "this computer", None)
    assert not [button for button in app.button if button.key == "approve_a1"]


def test_a_denial_carries_its_reason(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    ask(lulu, session_id)
    app = open_page("session", id=session_id)

    app.text_input(key="reason_a1").set_value("Not that folder")
    app.button(key="deny_a1").click().run()

    (decided,) = lulu.store.approvals.find(session_id, status=None)
    assert (decided.status, decided.message) == ("denied", "Not that folder")


def test_two_requests_are_both_answerable(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    ask(lulu, session_id, "a1")
    ask(lulu, session_id, "a2", agent_id="agent", tool_name=HOSTILE, tool_input={HOSTILE: HOSTILE})

    app = open_page("session", id=session_id)
    app.button(key="approve_a2").click().run()
    app.button(key="deny_a1").click().run()

    assert [approval.status for approval in lulu.store.approvals.find(session_id, status=None)] == [
        "denied",
        "approved",
    ]


def test_who_comes_second_is_told(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    ask(lulu, session_id)
    app = open_page("session", id=session_id)
    lulu.store.approvals.decide(OWNER, "a1", approve=False)

    app.button(key="approve_a1").click().run()

    assert [approval.status for approval in lulu.store.approvals.find(session_id, status=None)] == ["denied"]
    assert "already denied by this computer" in app.info[0].value


def test_an_edit_is_asked_for_as_a_diff_with_all_that_it_leaves_out(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    lines = [f"line {number}" for number in range(50)]
    arguments = {
        "file_path": "/w/a.py",
        "old_string": "\n".join(lines),
        "new_string": "\n".join([*lines, "more"]),
        "content": "not what an Edit writes",
    }
    ask(lulu, session_id, tool_name="Edit", tool_input=arguments)

    shown = text_of(open_page("session", id=session_id))

    assert " line 7\n" in shown
    assert "+more" in shown
    assert '"file_path": "/w/a.py"' in shown
    assert "not what an Edit writes" in shown


def test_settled_turns_move_out_when_the_next_one_begins(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    app = open_page("session", id=session_id)
    for number in range(3):
        lulu.store.events.append(session_id, [User(text=f"prompt {number}."), Text(content=f"answer {number}.")])
        shown = text_of(app.run())
        assert [shown.count(f"answer {turn}.") for turn in range(3)] == [1] * (number + 1) + [0] * (2 - number)


def test_the_list_is_newest_first_whoever_waits(open_page: OpenPage, new_session: NewSession) -> None:
    new_session("older", status=SessionStatus.WAITING)
    new_session("newer")
    new_session("newest", status=SessionStatus.RUNNING)

    shown = rows(open_page())

    assert [label.split()[0] for label in shown] == ["newest", "newer", "older"]


def test_the_list_is_searched_by_title_and_prompt(open_page: OpenPage, new_session: NewSession) -> None:
    new_session("Fix the login page")
    new_session("something", title="Login again")
    new_session("100% other")
    app = open_page()

    app.text_input(key="session_search").set_value("LOGIN").run()
    found = rows(app)
    app.text_input(key="session_search").set_value("%").run()
    literal = rows(app)
    app.text_input(key="session_search").set_value("nowhere").run()

    assert len(found) == 2
    assert len(literal) == 1
    assert rows(app) == []
    assert "Nothing matches." in text_of(app)


def test_the_list_shows_fifty_and_more_on_demand(open_page: OpenPage, new_session: NewSession) -> None:
    for number in range(60):
        new_session(f"prompt {number}")
    app = open_page()

    first = rows(app)
    app.button(key="show_more").click().run()

    assert len(first) == 50
    assert len(rows(app)) == 60
    assert not [button for button in app.button if button.key == "show_more"]


def test_a_row_shows_hostile_text_as_typed(open_page: OpenPage, new_session: NewSession) -> None:
    session_id = new_session(HOSTILE, title=HOSTILE)

    app = open_page("session", id=session_id)

    (row,) = rows(app)
    assert one_line(HOSTILE) in row
    assert r"!\[x\]" in text_of(app)


def test_home_shows_what_lives_now(open_page: OpenPage, new_session: NewSession) -> None:
    new_session("done")
    new_session("at work", status=SessionStatus.RUNNING)
    new_session("asks", status=SessionStatus.WAITING)

    labels = links(open_page())

    assert [label for label in labels if label.startswith("**")] == ["**asks**", "**at work**"]


def test_the_demo_agents_examples_are_offered_when_it_is_at_work() -> None:
    prompts = launch.EXAMPLE_PROMPTS.values()

    assert any("story" in prompt for prompt in prompts)
    assert len(scripts()) >= 2


def test_a_call_that_was_opened_stays_open_when_its_row_is_folded(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    calls: list[Event] = [ToolUse(id=f"t{number}", name="Bash", input={"command": f"ls {number}"}) for number in (1, 2)]
    answers = [ToolResult(tool_use_id=f"t{number}", content=f"answer {number}") for number in (1, 2)]
    lulu.store.events.append(session_id, [User(text="go"), *calls, *answers])
    app = open_page("session", id=session_id)
    (first, _) = [key for key in folds(app) if key.startswith("call_")]
    app.session_state[first] = True
    opened = text_of(app.run())

    lulu.store.events.insert(session_id, Text(content="Now I know."))
    folded = text_of(app.run())

    assert "answer 1" in opened
    assert "answer 1" in folded
    assert "answer 2" not in folded
