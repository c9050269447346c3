"""Handle questions of MCP servers: turn the CLI's request into one of Lulu's, and its answer back.

The SDK refuses such a request by itself (0.2.189), and the CLI ignores the answer of its ``Elicitation`` hook
(2.1.332). So requests are taken from the SDK's control protocol.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from lulu.agent.spec import ELICITATION, Ask, PermissionAnswer, PermissionRequest

#: The parts of the CLI's request for a person, and the names under which Lulu stores them.
_KEPT = {
    "message": "message",
    "mcp_server_name": "server",
    "mode": "mode",
    "url": "url",
    "requested_schema": "schema",
    "property_order": "order",
    "title": "title",
    "display_name": "display_name",
    "description": "description",
    "elicitation_id": "elicitation_id",
}


def take_questions(query: Any, ask: Ask) -> None:
    """Let ``ask`` answer questions of MCP servers. ``query``: the SDK's end of the control protocol."""
    others = query._handle_control_request

    async def handle(request: dict[str, Any]) -> None:
        asked = request.get("request")
        if not isinstance(asked, dict) or asked.get("subtype") != "elicitation":
            await others(request)
            return
        # Cancelled if the CLI withdraws the question. Then no answer is expected.
        answer = _said(await ask(_request(asked)))
        told = {"subtype": "success", "request_id": request["request_id"], "response": answer}
        await query.transport.write(json.dumps({"type": "control_response", "response": told}) + "\n")

    query._handle_control_request = handle


def _request(asked: Mapping[str, Any]) -> PermissionRequest:
    question = {name: asked[key] for key, name in _KEPT.items() if asked.get(key) is not None}
    request_id = uuid.uuid4().hex
    return PermissionRequest(
        id=request_id,
        # The server does not say during which call it asks, so the question has an id of its own.
        tool_use_id=request_id,
        agent_id=None,
        tool_name=ELICITATION,
        tool_input=question,
        suggestions=[],
        reason=None,
    )


def _said(answer: PermissionAnswer) -> dict[str, Any]:
    """Return the answer in the protocol's words. An acceptance without content is a refusal."""
    said = answer.updated_input or {}
    content = said.get("content")
    if answer.allow and isinstance(content, dict):
        return {"action": "accept", "content": content}
    return {"action": "cancel" if said.get("action") == "cancel" else "decline"}
