"""The form of an MCP server's question: what does not fit is told, and what fits is the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from lulu.agent import ELICITATION
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.store import Approval
from tests.ui.conftest import OpenPage
from tests.ui.support import text_of

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "port": {"type": "integer", "title": "Port", "maximum": 65535},
        "safe": {"type": "boolean", "default": True},
        "colour": {"type": "string", "enum": ["red", "blue"], "default": "blue"},
    },
    "required": ["port"],
}


def test_a_form_is_answered_in_the_inbox_once_it_fits(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    question: dict[str, object] = {"message": "Which port?", "server": "odd", "schema": SCHEMA}
    lulu.store.approvals.ask(request(session_id, question)).result(10)

    app = open_page("inbox")
    app.text_input(key="elicited_el_0").set_value("many")
    app.button(key="answer_el").click().run()
    refused = text_of(app)
    app.text_input(key="elicited_el_0").set_value("8080")
    app.button(key="answer_el").click().run()

    answered = lulu.store.approvals.get("el")
    assert "“Port” is no whole number." in refused
    assert answered is not None
    assert answered.status == "approved"
    assert (answered.updated_input or {})["content"] == {"port": 8080, "safe": True, "colour": "blue"}


def test_a_question_is_whole_and_its_lines_are_lines(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    question: dict[str, object] = {"message": "First <b>x</b>\n\n# Second\u202e\U000e0041", "server": "odd"}
    long: dict[str, object] = {"message": "word " * 1_000 + "the end", "server": "odd"}
    lulu.store.approvals.ask(request(session_id, question)).result(10)
    lulu.store.approvals.ask(replace(request(session_id, long), id="long", tool_use_id="long")).result(10)

    said = text_of(open_page("inbox"))

    lines = said.split("\n")
    assert r"**First \<b>x\</b>**  " in lines
    assert r"**\# Second⟦RLO⟧⟦1 hidden: A⟧**" in lines
    assert "word the end" in said


def test_a_form_of_any_size_can_be_drawn(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    fields: dict[str, object] = {f"f{number}": {"type": "string"} for number in range(5_000)}
    many = {"type": "string", "enum": [str(number) for number in range(5_000)]}
    properties = {"one": many, "some": {"type": "array", "items": many, "default": ["7"]}, **fields}
    schemas = {"free": {"properties": properties}, "needed": {"properties": properties, "required": ["f4999"]}}
    for name, schema in schemas.items():
        question: dict[str, object] = {"message": name, "server": "odd", "schema": schema}
        lulu.store.approvals.ask(replace(request(session_id, question), id=name, tool_use_id=name)).result(10)

    app = open_page("inbox")
    app.selectbox(key="elicited_free_0").set_value(4_998)
    app.button(key="answer_free").click().run()

    answered = lulu.store.approvals.get("free")
    assert answered is not None
    assert (answered.updated_input or {})["content"] == {"one": "4998", "some": ["7"]}
    assert app.button(key="answer_needed").disabled
    assert len(app.text_input) < 100
    assert "4,952 more fields cannot be shown here" in text_of(app)


def request(session_id: SessionId, question: dict[str, object]) -> Approval:
    return Approval(
        id="el",
        session_id=session_id,
        tool_use_id="el",
        agent_id=None,
        tool_name=ELICITATION,
        tool_input=question,
        suggestions=[],
        status="pending",
        updated_input=None,
        reason=None,
        message=None,
        decided_by=None,
        rule_id=None,
        auto_approved=False,
        created_at=datetime.now(UTC),
        decided_at=None,
    )
