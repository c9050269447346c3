"""One session's permission requests: Lulu's own rule, then the owner's rules, then people.

Lives on the host's loop.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from lulu import rules
from lulu.agent import ELICITATION, PermissionAnswer, PermissionRequest
from lulu.agent.data_folder_guard import REFUSED, reaches_into
from lulu.errors import Conflict, InputError
from lulu.model.claude_tools import FOR_A_PERSON
from lulu.model.events import Event, ToolResult, ToolUse
from lulu.rules import ToolCall, Verdict
from lulu.settings import PermissionMode, Settings
from lulu.store import Approval, Change, Store

#: The number of calls whose folder is kept until a request for them. Most never have one.
_REMEMBERED = 100
#: The agent's current folder, by the id of the open request.
_cwds: dict[str, str | None] = {}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The reason why a call must not run, even if a person approves it."""

    #: One sentence for a person.
    why: str
    #: The rule that denies the call, or ``None`` if Lulu itself does.
    rule: rules.Rule | None = None

    @property
    def for_agent(self) -> str:
        """The reason in words for the agent."""
        return f"Denied by a rule of the user: {self.why}" if self.rule else self.why


def refusal(
    store: Store,
    settings: Settings,
    session_id: str,
    tool_name: str,
    tool_input: dict[str, Any],
    cwd: str | None = None,
) -> Refusal | None:
    """Return why a call is denied, by a rule or because it reaches Lulu's own files, or ``None``.

    ``cwd``: the agent's current folder, after any ``cd`` of its own. A call is denied if it is denied from there or
    from the session's folder.
    """
    call = _call(store, settings, session_id, tool_name, tool_input, cwd)
    for base in dict.fromkeys((call.folder, cwd or call.folder)):
        if reaches_into(settings.data_dir, base, tool_name, tool_input, database=settings.database_path):
            return Refusal(why=REFUSED)
    verdict = rules.decide(store.approvals.rules(), call)
    return Refusal(why=verdict.why, rule=verdict.rule) if verdict and verdict.action == "deny" else None


def check_input(store: Store, settings: Settings, approval: Approval, changed: dict[str, Any]) -> None:
    """Raise ``InputError`` if a person's changed input for a call must not run: see ``refusal``."""
    cwd = _cwds.get(approval.id)
    refused = refusal(store, settings, approval.session_id, approval.tool_name, changed, cwd)
    if refused is not None:
        raise InputError(
            f"This input is denied: {refused.why}",
            safe="Nothing was run, and the request is still open.",
            next_step="Change the input, deny the request, or switch the rule off in Settings."
            if refused.rule
            else "Change the input, or deny the request.",
        )


def _call(
    store: Store, settings: Settings, session_id: str, tool_name: str, tool_input: dict[str, Any], cwd: str | None
) -> ToolCall:
    session = store.sessions.get(session_id)
    return ToolCall(
        tool_name=tool_name,
        tool_input=tool_input,
        session_id=session_id,
        folder=session.working_directory or str(settings.working_directory),
        cwd=cwd,
        home=str(Path.home()),
    )


class Asking:
    """Answers an agent's requests: immediately by a rule, or after any time by a person."""

    def __init__(
        self,
        session_id: str,
        store: Store,
        settings: Settings,
        *,
        log_failure: Callable[[Future[Any]], None],
        changed: Callable[[], None],
    ) -> None:
        self._session_id = session_id
        self._store = store
        self._settings = settings
        self._log_failure = log_failure
        self._changed = changed
        self._open: dict[str, asyncio.Future[PermissionAnswer]] = {}
        #: The agent's folder at each call: only the hook knows it, and runs first. By the call's id and, because two
        #: sub-agents may use one id at the same time, by the call's content.
        self._places: dict[str, dict[str, str]] = {}
        #: Set when Lulu stops. Open requests then expire; they are not withdrawn.
        self.shutting_down = False

    def __bool__(self) -> bool:
        """Whether a request is open."""
        return bool(self._open)

    async def gate(
        self, tool_name: str, tool_input: dict[str, Any], tool_use_id: str | None, cwd: str | None
    ) -> str | None:
        """Return why a call is denied in every permission mode, or ``None``. See ``refusal``."""
        self._remember(tool_use_id, tool_name, tool_input, cwd)
        refused = refusal(self._store, self._settings, self._session_id, tool_name, tool_input, cwd)
        if refused is None:
            return None
        request = PermissionRequest(
            id=uuid.uuid4().hex,
            tool_use_id=tool_use_id,
            agent_id=None,
            tool_name=tool_name,
            tool_input=tool_input,
            suggestions=[],
            reason=None,
        )
        await self._record(request, refused.rule, approve=False, why=refused.why)
        return refused.for_agent

    async def ask(self, request: PermissionRequest) -> PermissionAnswer:
        """Return the answer of a rule, or else of a person. Cancelled when the agent withdraws the request."""
        cwd = self._place_of(request)
        verdict = self._verdict(request, cwd)
        if verdict is not None:
            approve = verdict.action == "approve"
            await self._record(request, verdict.rule, approve=approve, why=verdict.why)
            return PermissionAnswer(allow=approve, message=verdict.why)
        if request.tool_name == ELICITATION:
            return await self._elicit(request)
        return await self._ask_people(request, cwd)

    async def _elicit(self, request: PermissionRequest) -> PermissionAnswer:
        """Return a person's answer to an MCP server, and record it like a tool call.

        The CLI sends no frame for it.
        """
        self._tell(ToolUse(id=request.id, name=ELICITATION, input=request.tool_input))
        answer = await self._ask_people(request, None)
        said = answer.updated_input or {}
        action = "accept" if answer.allow else str(said.get("action") or "decline")
        content = said.get("content") if answer.allow else None
        words = f"{action} {json.dumps(content, ensure_ascii=False)}" if content else action
        self._tell(ToolResult(tool_use_id=request.id, content=words, data={"action": action, "content": content}))
        return answer

    def _tell(self, event: Event) -> None:
        change = Change(session_id=self._session_id, events=[event])
        self._store.events.record(change).add_done_callback(self._log_failure)

    async def _ask_people(self, request: PermissionRequest, cwd: str | None) -> PermissionAnswer:
        answer: asyncio.Future[PermissionAnswer] = asyncio.get_running_loop().create_future()
        self._open[request.id] = answer
        _cwds[request.id] = cwd
        try:
            await asyncio.wrap_future(self._store.approvals.ask(self._approval(request)))
            return await answer
        except asyncio.CancelledError:
            # The agent no longer asks: it was interrupted, or its process ended.
            if not self.shutting_down:
                self._store.approvals.withdraw(request.id).add_done_callback(self._log_unless_answered)
            raise
        finally:
            del self._open[request.id], _cwds[request.id]
            self._changed()

    def hand_on_answers(self) -> None:
        """Pass every answer that the store has by now to the agent."""
        for request_id, future in list(self._open.items()):
            approval = self._store.approvals.get(request_id)
            if approval is None or approval.status == "pending" or future.done():
                continue
            answer = self._held_to_rules(approval)
            future.set_result(
                answer
                or PermissionAnswer(
                    allow=approval.status == "approved",
                    message=approval.message,
                    updated_input=approval.updated_input,
                    mode=cast(
                        "PermissionMode | None", self._store.approvals.mode_with_answer(self._session_id, request_id)
                    ),
                )
            )

    def _held_to_rules(self, approval: Approval) -> PermissionAnswer | None:
        """Return a denial if a newer rule denies the changed input of a request, or ``None``."""
        changed = approval.updated_input
        if approval.status != "approved" or changed is None:
            return None
        cwd = _cwds.get(approval.id)
        refused = refusal(self._store, self._settings, self._session_id, approval.tool_name, changed, cwd)
        return PermissionAnswer(allow=False, message=refused.for_agent) if refused else None

    def cancel_all(self) -> None:
        """Cancel all open requests, because the process has ended."""
        for future in self._open.values():
            future.cancel()

    def _remember(self, tool_use_id: str | None, tool_name: str, tool_input: dict[str, Any], cwd: str | None) -> None:
        if tool_use_id and cwd:
            self._places.setdefault(tool_use_id, {})[_called(tool_name, tool_input)] = cwd
        if len(self._places) > _REMEMBERED:
            del self._places[next(iter(self._places))]

    def _place_of(self, request: PermissionRequest) -> str | None:
        """Return the agent's folder at the call. A hook of the user may have changed the input since."""
        places = self._places.get(request.tool_use_id or "", {})
        called = _called(request.tool_name, request.tool_input)
        cwd = places.pop(called) if called in places else places.popitem()[1] if places else None
        if not places:
            self._places.pop(request.tool_use_id or "", None)
        return cwd

    def _verdict(self, request: PermissionRequest, cwd: str | None) -> Verdict | None:
        # A tool that asks a person is never answered by a rule.
        if request.tool_name in FOR_A_PERSON:
            return None
        call = _call(self._store, self._settings, self._session_id, request.tool_name, request.tool_input, cwd)
        return rules.decide(self._store.approvals.rules(), call)

    async def _record(self, request: PermissionRequest, rule: rules.Rule | None, *, approve: bool, why: str) -> None:
        await asyncio.wrap_future(
            self._store.approvals.decide_by_rule(self._approval(request), rule, approve=approve, why=why)
        )

    def _approval(self, request: PermissionRequest) -> Approval:
        return Approval(
            id=request.id,
            session_id=self._session_id,
            tool_use_id=request.tool_use_id,
            agent_id=request.agent_id,
            tool_name=request.tool_name,
            tool_input=request.tool_input,
            suggestions=request.suggestions,
            status="pending",
            updated_input=None,
            reason=request.reason,
            message=None,
            decided_by=None,
            rule_id=None,
            auto_approved=False,
            created_at=datetime.now(UTC),
            decided_at=None,
        )

    def _log_unless_answered(self, done: Future[Any]) -> None:
        if not isinstance(done.exception(), Conflict):
            self._log_failure(done)


def _called(tool_name: str, tool_input: dict[str, Any]) -> str:
    """Return the content of a call as text, to tell calls of one id apart."""
    return f"{tool_name} {json.dumps(tool_input, sort_keys=True, default=str)}"
