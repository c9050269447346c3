"""Connect the SDK's permission callback and hook to Lulu's values. Decides nothing."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from claude_agent_sdk import HookMatcher, PermissionResultAllow, PermissionResultDeny, PermissionUpdate
from claude_agent_sdk.types import HookContext, HookInput, PermissionResult, SyncHookJSONOutput, ToolPermissionContext

from lulu.agent.spec import Ask, Gate, PermissionRequest

CanUseTool = Callable[[str, dict[str, Any], ToolPermissionContext], Awaitable[PermissionResult]]

#: The message to the agent after a denial without a reason.
DENIED = "The user denied this. Ask what they would like instead, or go on without it."


def can_use_tool(ask: Ask) -> CanUseTool:
    """Return the SDK's callback around ``ask``."""

    async def callback(tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> PermissionResult:
        request = PermissionRequest(
            id=uuid.uuid4().hex,
            tool_use_id=context.tool_use_id,
            agent_id=context.agent_id,
            tool_name=tool_name,
            tool_input=tool_input,
            suggestions=[suggestion.to_dict() for suggestion in context.suggestions],
            reason=context.decision_reason or context.description,
        )
        answer = await ask(request)
        if answer.allow:
            # Together with the answer, because a plan's approval sets a mode itself, some time later.
            modes = [PermissionUpdate(type="setMode", mode=answer.mode, destination="session")] if answer.mode else None
            return PermissionResultAllow(updated_input=answer.updated_input or tool_input, updated_permissions=modes)
        return PermissionResultDeny(message=answer.message or DENIED)

    return callback


#: Seconds that the CLI waits for the hook. It only reads rows.
_HOOK_SECONDS = 60.0


def before_tool_use(gate: Gate) -> HookMatcher:
    """Return a ``PreToolUse`` hook around ``gate``.

    It runs in every permission mode, also for calls that Claude Code allows without ``can_use_tool``. If it fails, the
    call is blocked.
    """

    async def hook(data: HookInput, tool_use_id: str | None, context: HookContext) -> SyncHookJSONOutput:
        call: Any = data
        reason = await gate(call["tool_name"], call["tool_input"], tool_use_id, call.get("cwd"))
        if reason is None:
            return {}
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": reason,
            }
        }

    return HookMatcher(hooks=[hook], timeout=_HOOK_SECONDS, on_failure="block")
