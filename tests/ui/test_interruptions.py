"""What a restart has cut off is told on Home and in the inbox, and goes on when somebody says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dataset
import pytest

from lulu import runtime
from lulu.agent import ELICITATION
from lulu.model.commands import Archive, SendPrompt, StartSession
from lulu.model.events import System, User
from lulu.model.sessions import Launch, SessionId, SessionStatus, new_session_id
from lulu.runtime import Runtime
from lulu.settings import Settings
from lulu.store import Store
from lulu.ui.approvals import interruptions
from tests.support import eventually
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import ask, keys_of, links, open_popover, text_of

NewSession = Callable[..., SessionId]
QUESTIONS = {"questions": [{"question": "Which way?", "header": "Way", "options": [{"label": "Left"}]}]}


@pytest.fixture
def cut_off(lulu: Runtime, new_session: NewSession) -> Callable[..., SessionId]:
    """Make a session that the recovery after a crash has closed out."""

    def made(name: str, **request: object) -> SessionId:
        session_id = new_session(name, status=SessionStatus.RUNNING)
        lulu.store.events.append(session_id, [User(text=name)])
        if request:
            ask(lulu, session_id, f"of_{name}", **request)
        note = System(subtype="lulu_stopped", data={})
        lulu.store.sessions.close_out(session_id, SessionStatus.INTERRUPTED, [note], is_activity=False).result(10)
        return session_id

    return made


def prompts(lulu: Runtime) -> list[tuple[str, bool]]:
    """What was sent to which session."""
    with dataset.connect(f"sqlite:///{lulu.store.path}") as database:
        return [
            (row["session_id"], interruptions.CONTINUE in row["payload"])
            for row in database["commands"].find(kind="prompt", order_by="id")
        ]


@pytest.mark.parametrize("page", ["home", "inbox"])
def test_what_was_cut_off_is_told_and_goes_on(
    page: str, open_page: OpenPage, lulu: Runtime, cut_off: Callable[..., SessionId], new_session: NewSession
) -> None:
    one, other = cut_off("one"), cut_off("other")
    new_session("stopped by somebody", status=SessionStatus.INTERRUPTED)
    app = open_page(page)

    assert "Interrupted by the restart (2)" in text_of(app)
    assert {"**one**", "**other**"} <= set(links(app))
    assert "**stopped by somebody**" not in links(app)
    app.button(key=f"continue_{one}").click().run()

    assert (one, True) in prompts(lulu)
    assert "Interrupted by the restart (1)" in text_of(open_page(page))
    assert other not in [session_id for session_id, _ in prompts(lulu)]


def test_all_go_on_after_one_question_and_once(
    open_page: OpenPage, lulu: Runtime, cut_off: Callable[..., SessionId]
) -> None:
    sessions = [cut_off(f"number {number}") for number in range(4)]
    app = open_popover(open_page(), "continue_all")
    assert prompts(lulu) == []
    # Elsewhere, somebody has continued one of them meanwhile.
    lulu.store.commands.submit(SendPrompt(actor=OWNER, session_id=sessions[0], text="mine"))

    app.button(key="continue_all_sure").click().run()

    assert sorted(prompts(lulu)) == sorted([(sessions[0], False), *((one, True) for one in sessions[1:])])
    assert "continue_all" not in text_of(open_page())
    assert lulu.store.sessions.cut_off(lulu.store.sessions.get(sessions[0]).created_at) == []


def test_archived_and_continued_ones_are_no_news(
    open_page: OpenPage, lulu: Runtime, cut_off: Callable[..., SessionId]
) -> None:
    archived, continued = cut_off("archived"), cut_off("continued")
    lulu.store.commands.submit(Archive(actor=OWNER, session_id=archived, archived=True))
    lulu.store.events.append(continued, [User(text="go on")])

    assert "Interrupted by the restart" not in text_of(open_page())


@pytest.mark.parametrize(
    ("tool", "tool_input", "shown", "told"),
    [
        ("AskUserQuestion", QUESTIONS, "**Which way?**", "asked you: Which way?"),
        ("ExitPlanMode", {"plan": "# First\n\nthen **that**"}, "then **that**", "had a plan"),
        ("Bash", {"command": "rm -r build"}, "rm -r build", "Bash `rm -r build`"),
        (ELICITATION, {"server": "db", "message": "Which port?"}, "**Which port?**", "db asked you: Which port?"),
    ],
)
def test_what_expired_is_drawn_as_it_was_asked(
    tool: str,
    tool_input: dict[str, object],
    shown: str,
    told: str,
    open_page: OpenPage,
    cut_off: Callable[..., SessionId],
) -> None:
    session_id = cut_off("one", tool_name=tool, tool_input=tool_input)

    inbox, page = open_page("inbox"), open_page("session", id=session_id)

    for app in (inbox, page):
        assert shown in text_of(app)
        assert "AskUserQuestion" not in text_of(app)
        assert '"question"' not in text_of(app)
        assert keys_of(app).count(f"continue_{session_id}") == 1
    assert told in text_of(inbox)
    assert "Nothing needs you" not in text_of(inbox)


@pytest.mark.parametrize("page", ["inbox", "session"])
def test_a_question_that_expired_is_answered_with_the_next_prompt(
    page: str, open_page: OpenPage, lulu: Runtime, cut_off: Callable[..., SessionId]
) -> None:
    session_id = cut_off("one", tool_name="AskUserQuestion", tool_input=QUESTIONS)
    app = open_page(page, id=session_id)
    answer = next(key for key in keys_of(app) if key.startswith("answer_"))
    assert app.button(key=answer).label == "Continue with this answer"
    app.button(key=answer).click().run()
    assert "Nothing is answered yet" in text_of(app)
    assert lulu.store.commands.last_prompts(9) == []

    app.text_input(key=f"words_{answer.removeprefix('answer_')}_0").set_value("Straight *on*")
    app.button(key=answer).click().run()

    [prompt] = lulu.store.commands.last_prompts(9)
    assert prompt.session_id == session_id
    assert prompt.text.startswith(interruptions.CONTINUE)
    assert prompt.text.endswith("\n\nWhich way?\nStraight *on*")


def test_a_planned_end_is_told_too_and_moves_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", agent="demo", working_directory=tmp_path, demo_speed=20)
    store = runtime.start(settings).store
    sessions = [new_session_id() for _ in range(2)]
    for session_id in sessions:
        launch = Launch(prompt="Ask me a question.", working_directory=str(tmp_path), agent="demo")
        store.commands.submit(StartSession(actor=OWNER, session_id=session_id, launch=launch))
        eventually(lambda one=session_id: store.approvals.find(one), timeout=30)  # type: ignore[misc]
    before = [(session.id, session.active_at) for session in store.sessions.latest()]

    runtime.stop()

    after = Store.open(settings.database_path)
    try:
        found = after.sessions.cut_off(after.sessions.get(sessions[0]).created_at)
        assert {session.id for session in found} == set(sessions)
        assert [(session.id, session.active_at) for session in after.sessions.latest()] == before
    finally:
        after.close()
