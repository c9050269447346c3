"""Change the permission mode or the model of an agent in mid-session, also by a typed ``/model``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from lulu.errors import AgentError
from lulu.model.commands import CommandId, CommandStatus
from lulu.model.events import Error, User
from lulu.settings import PermissionMode
from lulu.store import Change

if TYPE_CHECKING:
    from lulu.agent.client import Agent

_MODEL = re.compile(r"\s*/model\s+(\S+)\s*", re.IGNORECASE)
#: Claude Code's word for the agent's own default.
_DEFAULT = "default"


async def changed(session_id: str, command_id: CommandId, agent: Agent | None, columns: dict[str, object]) -> Change:
    """Change the options of the agent, if there is one. Return the new columns, or its refusal."""
    problem: AgentError | None = None
    try:
        if agent is not None and "permission_mode" in columns:
            await agent.set_permission_mode(cast(PermissionMode, columns["permission_mode"]))
        if agent is not None and "model" in columns:
            await agent.set_model(cast("str | None", columns["model"]))
    except AgentError as exc:
        problem = exc
    return Change(
        session_id=session_id,
        events=[Error(message=str(problem), code="refused")] if problem else [],
        columns={} if problem else columns,
        command_id=command_id,
        command_status=CommandStatus.REFUSED if problem else CommandStatus.DONE,
        command_error=str(problem) if problem else None,
    )


def typed_model(prompt: User) -> dict[str, object] | None:
    """Return the column that a typed ``/model x`` sets, or ``None`` for any other prompt."""
    typed = _MODEL.fullmatch(prompt.text) if not prompt.attachments else None
    return {"model": None if typed[1].lower() == _DEFAULT else typed[1]} if typed else None
