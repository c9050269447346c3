"""Questions of MCP servers: the CLI's request becomes one of Lulu's, and what a person answers the server's answer.

The SDK refuses such a request by itself (0.2.189), and the CLI does not read what its ``Elicitation`` hook answers
(2.1.332), so it is taken where the SDK takes the CLI's requests.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from lulu.agent.spec import ELICITATION, Ask, PermissionAnswer, PermissionRequest

#: What of the CLI's request is a person's concern, under the names that Lulu stores.
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
    """From now on, ``ask`` answers what MCP servers ask; ``query`` is the SDK's end of the control protocol."""
    others = query._handle_control_request

    async def handle(request: dict[str, Any]) -> None:
        asked = request.get("request")
        if not isinstance(asked, dict) or asked.get("subtype") != "elicitation":
            await others(request)
            return
        # Cancelled where the CLI withdraws it: then no answer is waited for.
        answer = _said(await ask(_request(asked)))
        told = {"subtype": "success", "request_id": request["request_id"], "response": answer}
        await query.transport.write(json.dumps({"type": "control_response", "response": told}) + "\n")

    query._handle_control_request = handle


def _request(asked: Mapping[str, Any]) -> PermissionRequest:
    question = {name: asked[key] for key, name in _KEPT.items() if asked.get(key) is not None}
    request_id = uuid.uuid4().hex
    return PermissionRequest(
        id=request_id,
        # The server does not say in which call it asks: the question stands for itself.
        tool_use_id=request_id,
        agent_id=None,
        tool_name=ELICITATION,
        tool_input=question,
        suggestions=[],
        reason=None,
    )


def _said(answer: PermissionAnswer) -> dict[str, Any]:
    """The answer in the protocol's words; one that says nothing of what it accepts accepts nothing."""
    said = answer.updated_input or {}
    content = said.get("content")
    if answer.allow and isinstance(content, dict):
        return {"action": "accept", "content": content}
    return {"action": "cancel" if said.get("action") == "cancel" else "decline"}
