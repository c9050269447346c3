"""One session's requests: Lulu's own rule first, then the owner's rules, then people. Lives on the host's loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from lulu import rules
from lulu.agent import PermissionAnswer, PermissionRequest
from lulu.errors import Conflict
from lulu.rules import ToolCall, Verdict
from lulu.settings import PermissionMode, Settings
from lulu.store import Approval, Store

#: Tools that ask a person by their nature: no rule answers in a person's place.
FOR_PEOPLE = frozenset({"AskUserQuestion", "ExitPlanMode"})
#: Tools that name a file or folder, and the fields they name it in. Bash is not promised (docs/security.md).
_FILE_FIELDS = {
    **dict.fromkeys(("Read", "Edit", "Write", "MultiEdit"), ("file_path",)),
    "NotebookEdit": ("notebook_path",),
    **dict.fromkeys(("Glob", "Grep", "LS"), ("path", "pattern")),
}
#: Calls whose folder is remembered until they are asked about; most never are.
_REMEMBERED = 100


class Asking:
    """What an agent is allowed: answers at once, or waits for somebody as long as it takes."""

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
        #: The folder that the agent was in at a call: only the hook, which comes first, is told. By the call's id and,
        #: as two sub-agents may use the same one at once, by what is called.
        self._places: dict[str, dict[str, str]] = {}
        #: Set when Lulu stops: what is open then expires, and is not called withdrawn.
        self.shutting_down = False

    def __bool__(self) -> bool:
        """Whether somebody is asked now."""
        return bool(self._open)

    async def gate(
        self, tool_name: str, tool_input: dict[str, Any], tool_use_id: str | None, cwd: str | None
    ) -> str | None:
        """Why this call is denied, whatever the permission mode; nothing where no deny rule is met.

        ``cwd`` is where the agent is by now: a ``cd`` of its own moves it. A deny rule holds from there and from the
        session's folder.
        """
        self._remember(tool_use_id, tool_name, tool_input, cwd)
        request = PermissionRequest(
            id=uuid.uuid4().hex,
            tool_use_id=tool_use_id,
            agent_id=None,
            tool_name=tool_name,
            tool_input=tool_input,
            suggestions=[],
            reason=None,
        )
        if self._is_own_file(tool_name, tool_input, cwd):
            why = "Lulu's own data folder is not open to agents."
            await self._record(request, None, approve=False, why=why)
            return why
        verdict = self._verdict(tool_name, tool_input, cwd)
        if verdict is None or verdict.action != "deny":
            return None
        await self._record(request, verdict.rule, approve=False, why=verdict.why)
        return f"Denied by a rule of the user: {verdict.why}"

    async def ask(self, request: PermissionRequest) -> PermissionAnswer:
        """The answer of a rule, else of a person. Cancelled when the agent withdraws the request."""
        cwd = self._place_of(request)
        for_rules = request.tool_name not in FOR_PEOPLE
        verdict = self._verdict(request.tool_name, request.tool_input, cwd) if for_rules else None
        if verdict is not None:
            approve = verdict.action == "approve"
            await self._record(request, verdict.rule, approve=approve, why=verdict.why)
            return PermissionAnswer(allow=approve, message=verdict.why)
        answer: asyncio.Future[PermissionAnswer] = asyncio.get_running_loop().create_future()
        self._open[request.id] = answer
        try:
            await asyncio.wrap_future(self._store.ask(self._approval(request)))
            return await answer
        except asyncio.CancelledError:
            # The agent asks no longer: interrupted, or gone.
            if not self.shutting_down:
                self._store.withdraw(request.id).add_done_callback(self._log_unless_answered)
            raise
        finally:
            del self._open[request.id]
            self._changed()

    def hand_on_answers(self) -> None:
        """Hand on every answer that the store has by now."""
        for request_id, future in list(self._open.items()):
            approval = self._store.get_approval(request_id)
            if approval is None or approval.status == "pending" or future.done():
                continue
            future.set_result(
                PermissionAnswer(
                    allow=approval.status == "approved",
                    message=approval.message,
                    updated_input=approval.updated_input,
                    mode=cast("PermissionMode | None", self._store.mode_with_answer(self._session_id, request_id)),
                )
            )

    def cancel_all(self) -> None:
        """The process is gone: nobody waits for the answers."""
        for future in self._open.values():
            future.cancel()

    def _remember(self, tool_use_id: str | None, tool_name: str, tool_input: dict[str, Any], cwd: str | None) -> None:
        if tool_use_id and cwd:
            self._places.setdefault(tool_use_id, {})[_called(tool_name, tool_input)] = cwd
        if len(self._places) > _REMEMBERED:
            del self._places[next(iter(self._places))]

    def _place_of(self, request: PermissionRequest) -> str | None:
        """Where the agent was at the call. Its input may be another by now, by a hook of the user's."""
        places = self._places.get(request.tool_use_id or "", {})
        called = _called(request.tool_name, request.tool_input)
        cwd = places.pop(called) if called in places else places.popitem()[1] if places else None
        if not places:
            self._places.pop(request.tool_use_id or "", None)
        return cwd

    def _verdict(self, tool_name: str, tool_input: dict[str, Any], cwd: str | None) -> Verdict | None:
        session = self._store.get_session(self._session_id)
        call = ToolCall(
            tool_name=tool_name,
            tool_input=tool_input,
            session_id=self._session_id,
            folder=session.working_directory or str(self._settings.working_directory),
            cwd=cwd,
            home=str(Path.home()),
        )
        return rules.decide(self._store.rules(), call)

    def _is_own_file(self, tool_name: str, tool_input: dict[str, Any], cwd: str | None) -> bool:
        session = self._store.get_session(self._session_id)
        folder = session.working_directory or str(self._settings.working_directory)
        own = self._settings.data_dir.resolve()
        for name in _FILE_FIELDS.get(tool_name, ()):
            value = tool_input.get(name)
            if not isinstance(value, str) or not value:
                continue
            for base in (folder, cwd or folder):
                with contextlib.suppress(ValueError, OSError, RuntimeError):
                    if (Path(base) / Path(value).expanduser()).resolve().is_relative_to(own):
                        return True
        return False

    async def _record(self, request: PermissionRequest, rule: rules.Rule | None, *, approve: bool, why: str) -> None:
        await asyncio.wrap_future(self._store.decide_by_rule(self._approval(request), rule, approve=approve, why=why))

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
    """What is called, to tell it from other calls of the same id."""
    return f"{tool_name} {json.dumps(tool_input, sort_keys=True, default=str)}"
