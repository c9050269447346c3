"""What an MCP server asks, with the real Claude Code: a person's answer reaches the server, whatever it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lulu.agent import ELICITATION
from lulu.model.events import ToolResult, ToolUse
from lulu.model.sessions import SessionId, SessionStatus
from lulu.store import Approval
from tests.agent.claude_driver import Claude

FORM = {
    "message": "Which_port?",
    "requestedSchema": {"type": "object", "properties": {"port": {"type": "integer"}}, "required": ["port"]},
}


@pytest.fixture
def asking(claude: Claude) -> Claude:
    """Lulu, and an MCP server of the user's whose tool asks."""
    server = {"command": sys.executable, "args": [str(Path(__file__).parent / "asking_server.py")]}
    path = Path(os.environ["CLAUDE_CONFIG_DIR"]) / ".claude.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mcpServers": {"asking": {"type": "stdio", **server}}}))
    claude.allow("mcp__asking__ask")
    claude.start()
    return claude


def ask(claude: Claude, question: dict[str, Any]) -> tuple[SessionId, Approval]:
    written = json.dumps(question, separators=(",", ":"))
    session_id = claude.launch(f"SCN:call TOOL=mcp__asking__ask INPUT={written}")
    return session_id, claude.asked(session_id)


ANSWERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"approve": True, "updated_input": {"content": {"port": 8080}}}, {"action": "accept", "content": {"port": 8080}}),
    ({"approve": False}, {"action": "decline"}),
    ({"approve": False, "updated_input": {"action": "cancel"}}, {"action": "cancel"}),
]


@pytest.mark.parametrize(("answer", "heard"), ANSWERS, ids=["accept", "decline", "cancel"])
def test_a_server_s_question_is_asked_and_its_answer_is_what_the_server_hears(
    asking: Claude, answer: dict[str, Any], heard: dict[str, Any]
) -> None:
    session_id, approval = ask(asking, FORM)
    waiting = asking.session(session_id).status
    asking.decide(approval, **answer)
    session = asking.ended(session_id)

    call, question = asking.of(session_id, ToolUse)
    answered, said = asking.of(session_id, ToolResult)
    assert (waiting, session.status) == (SessionStatus.WAITING, SessionStatus.COMPLETED)
    assert (approval.tool_name, approval.tool_input["message"], approval.tool_input["server"]) == (
        ELICITATION,
        "Which_port?",
        "asking",
    )
    assert (question.name, answered.tool_use_id) == (ELICITATION, question.id)
    assert isinstance(answered.data, dict)
    assert {name: value for name, value in answered.data.items() if value is not None} == heard
    assert json.loads(said.content[0]["text"]) == heard
    assert (call.name, said.tool_use_id) == ("mcp__asking__ask", call.id)


def test_stop_withdraws_a_server_s_question(asking: Claude) -> None:
    session_id, approval = ask(asking, FORM)

    asking.stop(session_id)
    session = asking.has(session_id, SessionStatus.INTERRUPTED)

    again = asking.lulu.store.approvals.get(approval.id)
    assert session.status == SessionStatus.INTERRUPTED
    assert again is not None
    assert again.status == "cancelled"


@pytest.mark.long
def test_a_restart_lets_a_server_s_question_expire(asking: Claude) -> None:
    session_id, approval = ask(asking, FORM)

    asking.start()
    again = asking.lulu.store.approvals.get(approval.id)

    assert again is not None
    assert again.status == "expired"
    assert asking.session(session_id).status == SessionStatus.INTERRUPTED
