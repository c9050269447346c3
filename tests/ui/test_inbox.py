"""The inbox holds every open request; each kind of answer reaches the store as it was given."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from lulu.errors import InputError
from lulu.model.commands import AddRule
from lulu.model.events import ToolUse
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.store import Approval
from lulu.ui.approvals import plans, questions
from lulu.ui.approvals import tool_input as requested
from lulu.ui.approvals.interruptions import CONTINUE
from tests.samples import HOSTILE
from tests.support import eventually
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import ask, folds, keys_of, open_popover, text_of

NewSession = Callable[..., SessionId]

QUESTIONS = {
    "questions": [
        {
            "question": "Which colour?",
            "header": "Colour",
            "multiSelect": False,
            "options": [{"label": "Blue", "description": "like the sky"}, {"label": HOSTILE, "description": HOSTILE}],
        },
        {
            "question": "What else?",
            "header": "More",
            "multiSelect": True,
            "options": [{"label": "Tests"}, {"label": "Docs"}],
        },
    ]
}


def answered(lulu: Runtime, approval_id: str = "a1") -> Approval:
    approval = lulu.store.approvals.get(approval_id)
    assert approval is not None
    return approval


def commands(lulu: Runtime) -> list[str]:
    return [stored.command.kind for stored in lulu.store.commands.pending()]


# ---- the list


def test_every_open_request_is_there_oldest_first_and_counted(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    for number in range(20):
        ask(lulu, new_session(f"session {number}.", status=SessionStatus.RUNNING), f"a{number}")

    app = open_page("inbox")
    approve = [key for key in keys_of(app) if key.startswith("approve_")]
    for key in approve:
        app.button(key=key).click().run()

    assert approve == [f"approve_a{number}" for number in range(20)]
    assert lulu.store.approvals.find() == []
    assert {approval.status for approval in lulu.store.approvals.find(status=None)} == {"approved"}
    assert "Nothing needs you" in text_of(app)


def test_the_sidebar_counts_what_waits(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working, "a1")
    ask(lulu, working, "a2")

    labels = [link.proto.label for link in open_page().sidebar.get("page_link")]

    assert "Inbox :blue-badge[2]" in labels


def test_a_request_names_its_session_and_can_stop_it(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working)
    app = open_page("inbox")

    app.button(key="stop_a1").click().run()

    links = [link.proto for link in app.main.get("page_link")]
    assert [(link.label, link.query_string) for link in links] == [("**Clean up**", f"id={working}")]
    assert lulu.store.approvals.find(working)[0].id == "a1"


def test_the_last_answers_are_told_with_who_gave_them(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working, "a1")
    ask(lulu, working, "a2")
    lulu.store.approvals.decide(OWNER, "a1", approve=True)
    lulu.store.approvals.decide(OWNER, "a2", approve=False, message="Not *now*")

    shown = text_of(open_page("inbox"))

    assert ":green[approved] by **this computer**" in shown
    assert ":orange[denied] by **this computer**" in shown
    assert r"Not \*now\*" in shown


def test_who_answered_is_told_in_the_transcript(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working)
    lulu.store.approvals.decide(OWNER, "a1", approve=True)

    assert "approved by this computer" in text_of(open_page("session", id=working))


# ---- the input


def test_what_is_not_shown_is_counted_and_must_be_opened(
    open_page: OpenPage, lulu: Runtime, working: SessionId
) -> None:
    command = "echo " + "x" * requested.FIRST + " && rm -r /"
    ask(lulu, working, tool_input={"command": command})
    app = open_page("inbox")
    before = text_of(app)

    assert app.button(key="approve_a1").disabled
    assert "remember_a1" not in folds(app)
    assert app.checkbox(key="rest_command_a1").label == f"Show {len(command) - requested.FIRST} more characters"
    app.checkbox(key="rest_command_a1").check().run()

    assert "rm -r /" not in before
    assert "rm -r /" in text_of(app)
    assert not app.button(key="approve_a1").disabled


def test_an_edited_input_is_what_is_approved(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working)
    app = open_popover(open_page("inbox"), "edit_a1")

    shown = json.loads(app.text_area(key="edited_a1").value or "")
    app.text_area(key="edited_a1").set_value('{"command": "ls"}')
    app.button(key="approve_edited_a1").click().run()

    assert shown == {"command": "rm -r build", "timeout": 5}
    assert (answered(lulu).status, answered(lulu).updated_input) == ("approved", {"command": "ls"})


def test_an_edited_input_that_a_rule_denies_is_not_approved(
    open_page: OpenPage, lulu: Runtime, working: SessionId
) -> None:
    lulu.store.commands.submit(AddRule(actor=OWNER, tool_pattern="Bash(rm *)", action="deny"))
    ask(lulu, working, tool_input={"command": "touch a"})
    app = open_popover(open_page("inbox"), "edit_a1")

    app.text_area(key="edited_a1").set_value('{"command": "nohup rm a"}')
    app.button(key="approve_edited_a1").click().run()

    assert answered(lulu).status == "pending"
    assert r"This input is denied: The rule Bash(rm \*) denies it" in text_of(app)
    assert "the request is still open" in text_of(app)


@pytest.mark.parametrize(("typed", "told"), [("{", "not JSON"), ("[]", "JSON object"), ("[" * 100_000, "not JSON")])
def test_an_edited_input_that_is_no_object_is_refused(typed: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        requested.parse(typed)


def test_an_input_survives_the_editor() -> None:
    tool_input: dict[str, object] = {"a": HOSTILE, "b": "\u202e\ud800\x9b", "c": [1, None, {"d": 0.5}]}

    assert requested.parse(requested.as_typed(tool_input)) == tool_input
    assert requested.as_typed(tool_input).encode()


# ---- answers


def test_deny_and_stop_denies_and_interrupts(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working)
    app = open_page("inbox")

    app.text_input(key="reason_a1").set_value("Wrong folder")
    app.button(key="deny_stop_a1").click().run()

    assert (answered(lulu).status, answered(lulu).message) == ("denied", "Wrong folder")
    assert lulu.store.sessions.get(working).known_status is not SessionStatus.WAITING


@pytest.mark.parametrize("scope", ["session", "folder", "everywhere"])
def test_dont_ask_again_makes_the_rule_that_is_shown(
    open_page: OpenPage, lulu: Runtime, working: SessionId, scope: str
) -> None:
    ask(lulu, working, tool_input={"command": "git status"})
    app = open_popover(open_page("inbox"), "remember_a1")

    offered = app.text_input(key="rule_a1").value
    app.radio(key="scope_a1").set_value(scope)
    app.text_input(key="rule_a1").set_value("Bash(git status *)").run()
    told = text_of(app)
    app.button(key="approve_always_a1").click().run()

    (rule,) = lulu.store.approvals.rules()
    folder = lulu.store.sessions.get(working).working_directory
    assert offered == "Bash(git status)"
    assert "Covers this request" in told
    assert (rule.tool_pattern, rule.action) == ("Bash(git status *)", "approve")
    assert rule.session_id == (working if scope == "session" else None)
    assert rule.folder == (folder if scope == "folder" else None)
    assert answered(lulu).status == "approved"


def test_a_rule_that_cannot_be_read_answers_nothing(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working)
    app = open_popover(open_page("inbox"), "remember_a1")

    app.text_input(key="rule_a1").set_value("Bash(").run()
    app.button(key="approve_always_a1").click().run()

    assert len(app.error) == 1
    assert answered(lulu).status == "pending"
    assert lulu.store.approvals.rules() == []


# ---- questions


def test_a_question_is_a_form_and_its_answers_go_back(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working, tool_name="AskUserQuestion", tool_input=QUESTIONS)
    app = open_page("inbox")

    keys = keys_of(app)
    app.radio(key="choice_a1_0").set_value(0)
    app.checkbox(key="choice_a1_1_0").check()
    app.checkbox(key="choice_a1_1_1").check()
    app.text_input(key="words_a1_1").set_value("A changelog")
    app.button(key="answer_a1").click().run()

    assert not {"approve_a1", "deny_a1"} & set(keys)
    assert answered(lulu).status == "approved"
    assert answered(lulu).updated_input == {
        **QUESTIONS,
        "answers": {"Which colour?": "Blue", "What else?": "Tests, Docs, A changelog"},
    }


def test_own_words_answer_a_question_too(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    ask(lulu, working, tool_name="AskUserQuestion", tool_input=QUESTIONS)
    app = open_page("inbox")

    app.text_input(key="words_a1_0").set_value("Green")
    app.button(key="answer_a1").click().run()

    assert (answered(lulu).updated_input or {})["answers"] == {"Which colour?": "Green"}


def test_a_question_is_not_answered_with_nothing_but_can_be_skipped(
    open_page: OpenPage, lulu: Runtime, working: SessionId
) -> None:
    ask(lulu, working, tool_name="AskUserQuestion", tool_input=QUESTIONS)
    app = open_page("inbox")

    app.button(key="answer_a1").click().run()
    refused = (len(app.error), answered(lulu).status)
    app.button(key="skip_a1").click().run()

    assert refused == (1, "pending")
    assert (answered(lulu).status, answered(lulu).message) == ("denied", questions.SKIPPED)


@pytest.mark.parametrize("found", [None, "x", [None], [{"question": 1}], [{"question": "a", "options": "b"}], [{}]])
def test_questions_of_an_unknown_shape_are_an_ordinary_request(
    open_page: OpenPage, lulu: Runtime, working: SessionId, found: object
) -> None:
    ask(lulu, working, tool_name="AskUserQuestion", tool_input={"questions": found})

    assert questions.read({"questions": found}) == []
    assert "approve_a1" in keys_of(open_page("inbox"))


# ---- plans


def plan(lulu: Runtime, session_id: SessionId) -> None:
    ask(lulu, session_id, tool_name="ExitPlanMode", tool_input={"plan": "# The plan\n\n1. **Do** it\n" + HOSTILE})


def test_a_plan_is_read_as_markdown_and_approved(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    plan(lulu, working)
    app = open_page("inbox")
    shown = text_of(app)

    app.button(key="approve_a1").click().run()

    assert "**Do** it" in shown
    assert "http://198.51.100.1/x.png)" not in shown
    assert answered(lulu).status == "approved"


def test_a_plan_is_approved_with_its_edits(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    plan(lulu, working)
    app = open_page("inbox")

    app.button(key="approve_edits_a1").click().run()

    assert answered(lulu).status == "approved"
    assert lulu.store.approvals.mode_with_answer(working, "a1") == "acceptEdits"
    assert not app.error


@pytest.mark.parametrize(("typed", "heard"), [("", plans.KEEP_PLANNING), ("Smaller steps", "Smaller steps")])
def test_a_plan_goes_back_with_feedback(
    open_page: OpenPage, lulu: Runtime, working: SessionId, typed: str, heard: str
) -> None:
    plan(lulu, working)
    app = open_page("inbox")

    app.text_area(key="reason_a1").set_value(typed)
    app.button(key="deny_a1").click().run()

    assert (answered(lulu).status, answered(lulu).message) == ("denied", heard)


def test_a_plan_that_was_written_to_a_file_is_shown(open_page: OpenPage, lulu: Runtime, working: SessionId) -> None:
    written = {"file_path": "/home/me/.claude/plans/p.md", "content": "Plan: **first** this"}
    lulu.store.events.insert(working, ToolUse(id="t1", name="Write", input=written))
    ask(lulu, working, tool_name="ExitPlanMode", tool_input={})

    assert "Plan: **first** this" in text_of(open_page("inbox"))


# ---- too late


def test_a_request_that_nobody_can_answer_offers_to_continue(
    open_page: OpenPage, lulu: Runtime, working: SessionId
) -> None:
    ask(lulu, working)
    lulu.store.sessions.close_out(working, SessionStatus.INTERRUPTED).result(30)

    app: AppTest = open_page("session", id=working)
    shown, keys = text_of(app), keys_of(app)
    app.button(key=f"continue_{working}").click().run()

    assert "Expired" in shown
    assert "rm -r build" in shown
    assert "approve_a1" not in keys
    eventually(lambda: CONTINUE in text_of(app.run()))
    eventually(lambda: f"continue_{working}" not in keys_of(app.run()))
    assert "expired" in text_of(open_page("inbox"))
