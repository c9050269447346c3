"""The cards on Home: who needs somebody, what is done now, and what can be done about it there."""

from __future__ import annotations

from collections.abc import Callable

import dataset
import pytest

from lulu.model.events import Error, Text, ToolUse, User
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.text.labels import safe_label
from lulu.ui.home import cards
from tests.ui.conftest import OpenPage
from tests.ui.support import ask, keys_of, links, text_of

NewSession = Callable[..., SessionId]


def test_cards_stand_by_who_needs_somebody(open_page: OpenPage, new_session: NewSession) -> None:
    new_session("works", status=SessionStatus.RUNNING)
    new_session("failed just now", status=SessionStatus.FAILED)
    new_session("waits", status=SessionStatus.WAITING)
    new_session("begins", status=SessionStatus.STARTING)
    new_session("is done", status=SessionStatus.COMPLETED)

    shown = [label for label in links(open_page()) if label.startswith("**")]

    assert shown == ["**waits**", "**failed just now**", "**begins**", "**works**"]


def test_a_card_tells_the_last_line_and_stops(open_page: OpenPage, new_session: NewSession, lulu: Runtime) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    bash = ToolUse(id="t1", name="Bash", input={"command": "pytest"})
    lulu.store.events.append(
        session_id, [User(text="go"), Text(content="Reading.\n\nNow :red[the] tests.\n\n---\n"), bash]
    )

    app = open_page()

    assert f":gray[{safe_label('Now :red[the] tests.')}]" in text_of(app)
    app.button(key=f"stop_{session_id}").click().run()
    with dataset.connect(f"sqlite:///{lulu.store.path}") as database:
        assert [row["kind"] for row in database["commands"].find(session_id=session_id)] == ["interrupt"]


def test_a_request_is_answered_on_its_card(open_page: OpenPage, new_session: NewSession, lulu: Runtime) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    ask(lulu, session_id)
    ask(lulu, session_id, "a2")

    app = open_page()

    assert "rm -r build" in text_of(app)
    assert "+ 1 more request" in text_of(app)
    assert "approve_a2" not in keys_of(app)
    app.button(key="approve_a1").click().run()
    approval = lulu.store.approvals.get("a1")
    assert approval is not None
    assert approval.status == "approved"


@pytest.mark.parametrize("tool", ["AskUserQuestion", "ExitPlanMode"])
def test_a_question_is_not_answered_with_yes(
    tool: str, open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    ask(lulu, new_session(status=SessionStatus.RUNNING), tool_name=tool, tool_input={"plan": "p", "questions": []})

    app = open_page()

    assert "approve_a1" not in keys_of(app)
    assert "Answer" in links(app)


def test_more_cards_than_one_page_are_counted(
    open_page: OpenPage, new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "MOST", 2)
    for number in range(3):
        new_session(f"number {number}", status=SessionStatus.RUNNING)

    assert "And 1 more session" in text_of(open_page())


def test_what_failed_is_the_last_line(new_session: NewSession, lulu: Runtime) -> None:
    session_id = new_session(status=SessionStatus.FAILED)
    lulu.store.events.append(session_id, [Text(content="All is well."), Error(message="It broke.")])

    assert cards.last_line(lulu.store.events.of_session(session_id)) == "It broke."
    assert cards.last_line([]) == ""
