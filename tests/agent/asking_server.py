"""An MCP server on stdin and stdout whose one tool asks the person: what it is called with is what it asks."""

from __future__ import annotations

import json
import sys
from typing import Any


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    _say({"id": 1_000, "method": "elicitation/create", "params": question})
    for line in sys.stdin:
        message: dict[str, Any] = json.loads(line)
        if message.get("id") == 1_000:
            return message
    return {}


def _answer(message: dict[str, Any]) -> dict[str, Any]:
    match message["method"]:
        case "initialize":
            return {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "asking", "version": "1"},
            }
        case "tools/list":
            return {"tools": [{"name": "ask", "description": "Asks.", "inputSchema": {"type": "object"}}]}
        case "tools/call":
            answer = _ask(message["params"]["arguments"])
            return {"content": [{"type": "text", "text": json.dumps(answer.get("result") or answer.get("error"))}]}
    return {}


if __name__ == "__main__":
    for one in sys.stdin:
        asked: dict[str, Any] = json.loads(one)
        if asked.get("id") is not None:
            _say({"id": asked["id"], "result": _answer(asked)})
