"""Begin, resume or fork a session's next agent process, from its rows."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from lulu.agent import AgentSpec, Ask, ConversationExists, Gate, ResumeRefused, TranscriptMissing, running_total
from lulu.engine import memory
from lulu.model.events import Event, Result, System
from lulu.model.sessions import Session
from lulu.settings import PermissionMode, Settings
from lulu.store import Change, Store
from lulu.trust import folder_files
from lulu.trust.answers import Verdict, judge

if TYPE_CHECKING:
    from lulu.agent.client import Agent

#: Columns of a fork after the beginning of its first answer, or when there can be none.
FORK_DONE: dict[str, object] = {"fork_conversation": None, "fork_message": None}


async def connected_agent(
    store: Store, settings: Settings, session_id: str, ask: Ask, gate: Gate, record: Callable[[Change], None]
) -> Agent:
    """Start an agent process and return it. Raises ``AgentError``.

    If it cannot resume or begin as the rows say, it begins in another way, and that is recorded.
    """
    # Not at the top of the module: the SDK takes a second to import, and would delay the first page.
    from lulu.agent.client import Agent

    # In a thread, because a session file may be many megabytes long.
    spec = await asyncio.to_thread(lambda: spec_for(store, settings, store.sessions.get(session_id)))
    notes: list[Event] = []
    try:
        note = await asyncio.to_thread(memory.forgotten, store, spec)
        agent = Agent(spec, settings, ask, gate)
        await agent.connect()
        if note is not None:
            record(Change(session_id=session_id, events=[note]))
        return agent
    except (TranscriptMissing, ResumeRefused) as exc:
        # No conversation to resume: it failed before its first answer, or its session file is missing or unusable.
        if isinstance(exc, ResumeRefused) and not memory.was_refused(store, session_id):
            raise
        spec = anew(spec)
        notes = [System(subtype="conversation_lost", data={"reason": exc.happened})]
    except ConversationExists:
        # The conversation has begun, but Lulu was killed before it was recorded.
        spec = replace(spec, resume=True, fork_of=None, fork_at=None)
    agent = Agent(spec, settings, ask, gate)
    await agent.connect()
    columns = {"session_id_claude": spec.conversation_id, **FORK_DONE}
    record(Change(session_id=session_id, events=notes, columns=columns))
    return agent


def folder_verdict(store: Store, settings: Settings, agent: str | None, folder: str | None) -> Verdict:
    """Return whether a folder's own settings may act now, and the files to ask its owner about."""
    if agent == "demo":
        # The demo agent reads no settings.
        return Verdict(trusted=False, asked=[])
    brought = folder_files.inspect(folder or str(settings.working_directory), settings.setting_sources)
    return judge(brought, store.folders.answers())


async def verdict_on(store: Store, settings: Settings, session: Session) -> Verdict:
    """Return ``folder_verdict`` for a session. Runs in a thread, because a folder may be large or remote."""
    return await asyncio.to_thread(folder_verdict, store, settings, session.agent, session.working_directory)


def spec_for(store: Store, settings: Settings, session: Session) -> AgentSpec:
    """Return the spec to begin, resume or fork a session. The next prompt is already stored."""
    conversation = session.session_id_claude or session.id
    return AgentSpec(
        session_id=session.id,
        kind=session.agent or "claude",
        working_directory=session.working_directory or str(settings.working_directory),
        # Judged again, because the process may have waited for its turn to start.
        trusts_folder=folder_verdict(store, settings, session.agent, session.working_directory).trusted,
        model=session.model,
        permission_mode=cast(PermissionMode, session.permission_mode or settings.permission_mode),
        conversation_id=conversation,
        resume=session.fork_conversation is None and _has_begun(store, session, conversation),
        fork_of=session.fork_conversation,
        fork_at=session.fork_message,
        may_bypass=store.sessions.may_bypass(session.id),
        max_cost_usd=session.max_cost_usd,
        max_turns=session.max_turns,
        total_cost_usd=_counts_from(store, session, conversation),
        prompts_so_far=max(0, store.events.count(session.id, "user") - 1),
    )


def anew(spec: AgentSpec) -> AgentSpec:
    """Return the spec of a new conversation, without a past and with a new id."""
    return replace(
        spec, conversation_id=str(uuid.uuid4()), resume=False, fork_of=None, fork_at=None, total_cost_usd=0.0
    )


def _has_begun(store: Store, session: Session, conversation: str) -> bool:
    """Whether Claude Code has answered under this id, so that it can resume the conversation."""
    init = store.events.last(session.id, "system", subtype="init")
    return (
        init is not None
        and isinstance(init.event, System)
        and (init.event.data or {}).get("session_id") == conversation
    )


def _counts_from(store: Store, session: Session, conversation: str) -> float:
    """Return the running cost that the next process starts with, in US dollars.

    Claude Code continues from the last total that it wrote. A killed process writes none, so its unrecorded cost is
    still to be counted. A fork takes over its parent's whole total, also the part after the fork.
    """
    known = _total_cost(store, session, session.fork_conversation or conversation)
    if session.agent == "demo":
        return known
    written = running_total(session.fork_conversation or conversation)
    if written is None:
        return known
    return written if session.fork_conversation else min(written, known)


def _total_cost(store: Store, session: Session, conversation: str) -> float:
    """Return the last known total of this conversation, in US dollars."""
    last = store.events.last(session.id, "result")
    if last is None or not isinstance(last.event, Result) or last.event.session_id != conversation:
        return 0.0
    return last.event.total_cost_usd or 0.0
