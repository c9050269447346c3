"""How a session goes on: what its next agent process is started with, read from its rows."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import cast

from lulu.agent import AgentSpec
from lulu.events import Result, System
from lulu.sessions import Session
from lulu.settings import PermissionMode, Settings
from lulu.store import Store

#: Columns of a fork whose first answer has begun, or can never come.
FORK_DONE: dict[str, object] = {"fork_conversation": None, "fork_message": None}


def spec_for(store: Store, settings: Settings, session: Session) -> AgentSpec:
    """Begin, resume or fork: what the rows say. The prompt that is about to be sent is stored already."""
    conversation = session.session_id_claude or session.id
    continued = session.fork_conversation or conversation
    return AgentSpec(
        kind=session.agent or "claude",
        working_directory=session.working_directory or str(settings.working_directory),
        model=session.model,
        permission_mode=cast(PermissionMode, session.permission_mode or settings.permission_mode),
        conversation_id=conversation,
        resume=session.fork_conversation is None and _has_begun(store, session, conversation),
        fork_of=session.fork_conversation,
        fork_at=session.fork_message,
        max_cost_usd=session.max_cost_usd,
        max_turns=session.max_turns,
        total_cost_usd=_total_cost(store, session, continued),
        prompts_so_far=max(0, store.count_events(session.id, "user") - 1),
    )


def anew(spec: AgentSpec) -> AgentSpec:
    """The same without a past, under an id of its own."""
    return replace(
        spec, conversation_id=str(uuid.uuid4()), resume=False, fork_of=None, fork_at=None, total_cost_usd=0.0
    )


def _has_begun(store: Store, session: Session, conversation: str) -> bool:
    """Whether Claude Code has answered under this id, so that there is something to resume."""
    init = store.last_event(session.id, "system", subtype="init")
    return (
        init is not None
        and isinstance(init.event, System)
        and (init.event.data or {}).get("session_id") == conversation
    )


def _total_cost(store: Store, session: Session, conversation: str) -> float:
    """The SDK's running total of this conversation so far; a turn's own cost is counted from it."""
    last = store.last_event(session.id, "result")
    if last is None or not isinstance(last.event, Result) or last.event.session_id != conversation:
        return 0.0
    return last.event.total_cost_usd or 0.0
