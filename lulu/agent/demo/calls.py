"""Perform a tool call of the demo agent: hooks, permission, the invented work, and the result."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lulu.agent.demo import frames
from lulu.agent.demo.channel import QuestionFailed
from lulu.agent.demo.permissions import suggestions
from lulu.model.claude_tools import FOR_A_PERSON, READING, SUB_AGENTS

if TYPE_CHECKING:
    from lulu.agent.demo.turn import Turn

#: Tools with parallel calls in Claude Code. All others run one after the other.
CONCURRENT_TOOLS = READING | SUB_AGENTS

_DONT_ASK = (
    "Permission to use {tool} has been denied because Claude Code is running in don't ask mode. IMPORTANT: You *may* "
    "attempt to accomplish this action using other tools that might naturally be used to accomplish this goal, "
    "e.g. using head instead of cat."
)
_DENIED_BY_RULE = "Permission to use {tool} has been denied."


class Stopped(Exception):
    """The person answered a permission request with "deny and stop"."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """The answer of a tool."""

    #: A string or the API's list of blocks, for the model.
    content: Any
    #: Claude Code's structured result: a dict, or a string on failure.
    data: Any = None
    is_error: bool = False


#: The invented work of a call: ``(turn, tool_use_id, input) -> Output``.
Work = Callable[["Turn", str, dict[str, Any]], Awaitable[Output]]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A tool call in a script."""

    name: str
    input: dict[str, Any]
    work: Work
    #: Further fields of the permission request: description, blocked_path, decision_reason.
    request: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a call."""

    #: Whether the tool "ran". False after a denial.
    ran: bool
    #: The final input, after changes by a person or a hook.
    input: dict[str, Any]
    output: Output

    def __bool__(self) -> bool:
        return self.ran


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The caller: the main agent, or a sub-agent with the ``Agent`` call that started it."""

    parent: str | None = None
    agent_id: str | None = None


MAIN = Caller()


class Calls:
    """The open calls of one turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        #: Calls of the main agent without a result. True after their work began.
        self.open: dict[str, bool] = {}
        #: Every denied call, for the result.
        self.denials: list[dict[str, Any]] = []

    async def perform(self, calls: Mapping[str, Call], caller: Caller = MAIN) -> list[Outcome]:
        """Run the calls of one message, by their ``tool_use`` ids. Raises ``Stopped``."""
        if caller is MAIN:
            self.open = dict.fromkeys(calls, False)
        performances = [self._perform(use_id, call, caller) for use_id, call in calls.items()]
        if all(call.name in CONCURRENT_TOOLS for call in calls.values()):
            outcomes = await _together(performances)
        else:
            outcomes = await _in_turn(performances)
        return outcomes

    async def _perform(self, use_id: str, call: Call, caller: Caller) -> Outcome:
        tool_input = dict(call.input)
        verdict, reason, tool_input = await self._hooked(use_id, call, tool_input, caller)
        if verdict == "deny":
            return await self._refuse(use_id, call, f"PreToolUse:{call.name} hook error: {reason}", caller)
        permissions = self._turn.conversation.permissions
        judged = permissions.judge(call.name, tool_input)
        asks = verdict == "ask" or (judged == "ask" and verdict != "allow")
        if judged == "deny" or (asks and permissions.mode == "dontAsk"):
            return await self._refuse_unasked(use_id, call, caller, by_rule=judged == "deny")
        if asks:
            try:
                answer = await self._ask(use_id, call, tool_input, caller)
            except QuestionFailed as exc:
                return await self._refuse(use_id, call, f"Tool permission request failed: Error: {exc}", caller)
            if answer.get("behavior") != "allow":
                if answer.get("interrupt"):
                    self._deny(use_id, call)
                    raise Stopped
                return await self._refuse(use_id, call, str(answer.get("message") or ""), caller)
            if isinstance(answer.get("updatedInput"), dict):
                tool_input = answer["updatedInput"]
            if new_mode := permissions.update(answer.get("updatedPermissions") or []):
                await self._turn.emit(frames.status(None, permissionMode=new_mode))
        if use_id in self.open:
            self.open[use_id] = True
        output = await call.work(self._turn, use_id, tool_input)
        await self._fire("PostToolUse", use_id, call, tool_input, caller, tool_response=output.data or output.content)
        await self._answer(use_id, output, caller)
        return Outcome(ran=True, input=tool_input, output=output)

    async def _ask(self, use_id: str, call: Call, tool_input: dict[str, Any], caller: Caller) -> dict[str, Any]:
        request: dict[str, Any] = {
            "subtype": "can_use_tool",
            "tool_name": call.name,
            "display_name": call.name,
            "input": tool_input,
            "tool_use_id": use_id,
            "permission_suggestions": suggestions(call.name, tool_input),
            **call.request,
        }
        if caller.agent_id:
            request["agent_id"] = caller.agent_id
        if call.name in FOR_A_PERSON:
            request["requires_user_interaction"] = True
        conversation = self._turn.conversation
        conversation.open_requests += 1
        if conversation.open_requests == 1:
            await self._turn.emit(frames.session_state("requires_action"))
        try:
            return await self._turn.channel.ask(request)
        except asyncio.CancelledError:
            self._deny(use_id, call)
            raise
        finally:
            conversation.open_requests -= 1
            if not conversation.open_requests:
                await self._turn.emit(frames.session_state("running"))

    async def _hooked(
        self, use_id: str, call: Call, tool_input: dict[str, Any], caller: Caller
    ) -> tuple[str | None, str, dict[str, Any]]:
        """Return the strictest decision of the ``PreToolUse`` hooks, its reason, and the input after them."""
        strictness = ("allow", "ask", "deny")
        verdict: str | None = None
        reason = ""
        for output in await self._fire("PreToolUse", use_id, call, tool_input, caller):
            specific = output.get("hookSpecificOutput") or {}
            decision = specific.get("permissionDecision")
            why = specific.get("permissionDecisionReason") or output.get("reason") or output.get("stopReason") or ""
            if output.get("decision") == "block" or output.get("continue") is False:
                decision = "deny"
            if isinstance(specific.get("updatedInput"), dict):
                tool_input = specific["updatedInput"]
            if decision in strictness and (verdict is None or strictness.index(decision) > strictness.index(verdict)):
                verdict, reason = decision, str(why)
        return verdict, reason, tool_input

    async def _fire(
        self, event: str, use_id: str, call: Call, tool_input: dict[str, Any], caller: Caller, **extra: Any
    ) -> list[dict[str, Any]]:
        """Call every hook of this event and tool. A failed one counts as silent, or as a block."""
        outputs = []
        for matcher in self._turn.conversation.hooks.get(event) or []:
            if not _matches(matcher.get("matcher"), call.name):
                continue
            hook_input = self._turn.hook_input(event, tool_name=call.name, tool_input=tool_input, tool_use_id=use_id)
            if caller.agent_id:
                hook_input["agent_id"] = caller.agent_id
            for callback_id in matcher.get("hookCallbackIds") or []:
                request = {
                    "subtype": "hook_callback",
                    "callback_id": callback_id,
                    "input": {**hook_input, **extra},
                    "tool_use_id": use_id,
                }
                try:
                    outputs.append(await self._turn.channel.ask(request))
                except QuestionFailed as exc:
                    if matcher.get("onFailure") not in (None, "continue"):
                        outputs.append({"decision": "block", "reason": str(exc)})
        return outputs

    async def _refuse_unasked(self, use_id: str, call: Call, caller: Caller, *, by_rule: bool) -> Outcome:
        message = (_DENIED_BY_RULE if by_rule else _DONT_ASK).format(tool=call.name)
        await self._turn.emit(
            frames.system(
                "permission_denied",
                tool_name=call.name,
                tool_use_id=use_id,
                decision_reason_type="rule" if by_rule else "mode",
                message=message,
            )
        )
        return await self._refuse(use_id, call, message, caller)

    async def _refuse(self, use_id: str, call: Call, message: str, caller: Caller) -> Outcome:
        self._deny(use_id, call)
        output = Output(content=message, data=f"Error: {message}", is_error=True)
        await self._answer(use_id, output, caller)
        return Outcome(ran=False, input=call.input, output=output)

    def _deny(self, use_id: str, call: Call) -> None:
        self.denials.append({"tool_name": call.name, "tool_use_id": use_id, "tool_input": call.input})

    async def _answer(self, use_id: str, output: Output, caller: Caller) -> None:
        self.open.pop(use_id, None)
        self._turn.conversation.read(output.content)
        await self._turn.emit(
            frames.tool_result(use_id, output.content, is_error=output.is_error, data=output.data, parent=caller.parent)
        )


def _matches(pattern: object, tool_name: str) -> bool:
    if not pattern or pattern == "*":
        return True
    return bool(re.fullmatch(str(pattern), tool_name))


async def _in_turn(performances: Sequence[Coroutine[Any, Any, Outcome]]) -> list[Outcome]:
    remaining = list(performances)
    try:
        return [await remaining.pop(0) for _ in performances]
    finally:
        for never_begun in remaining:
            never_begun.close()


async def _together(performances: Sequence[Coroutine[Any, Any, Outcome]]) -> list[Outcome]:
    """Run all at the same time. The first failure cancels the others and is raised."""
    tasks = [asyncio.ensure_future(performance) for performance in performances]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
