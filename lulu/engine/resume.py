"""How a session goes on: its next agent process, begun, resumed or forked as its rows say."""

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

#: Columns of a fork whose first answer has begun, or can never come.
FORK_DONE: dict[str, object] = {"fork_conversation": None, "fork_message": None}


async def connected_agent(
    store: Store, settings: Settings, session_id: str, ask: Ask, gate: Gate, record: Callable[[Change], None]
) -> Agent:
    """A started process. Where it cannot begin or resume as the rows say, that is recorded. Raises ``AgentError``."""
    # Here and not at the top: the SDK takes a second to import, which would hold up the first page.
    from lulu.agent.client import Agent

    # In a thread: a transcript may be many megabytes long.
    spec = await asyncio.to_thread(lambda: spec_for(store, settings, store.get_session(session_id)))
    notes: list[Event] = []
    try:
        note = await asyncio.to_thread(memory.forgotten, store, spec)
        agent = Agent(spec, settings, ask, gate)
        await agent.connect()
        if note is not None:
            record(Change(session_id=session_id, events=[note]))
        return agent
    except (TranscriptMissing, ResumeRefused) as exc:
        # Nothing to resume: it failed before its first answer, or its transcript is gone or of no use.
        if isinstance(exc, ResumeRefused) and not memory.was_refused(store, session_id):
            raise
        spec = anew(spec)
        notes = [System(subtype="conversation_lost", data={"reason": exc.happened})]
    except ConversationExists:
        # It has begun, but Lulu was killed before it had heard so.
        spec = replace(spec, resume=True, fork_of=None, fork_at=None)
    agent = Agent(spec, settings, ask, gate)
    await agent.connect()
    columns = {"session_id_claude": spec.conversation_id, **FORK_DONE}
    record(Change(session_id=session_id, events=notes, columns=columns))
    return agent


def folder_verdict(store: Store, settings: Settings, agent: str | None, folder: str | None) -> Verdict:
    """Whether a folder's own settings may act in a session now, and what its owner is to be asked first."""
    if agent == "demo":
        # It reads no settings.
        return Verdict(trusted=False, asked=[])
    brought = folder_files.inspect(folder or str(settings.working_directory), settings.setting_sources)
    return judge(brought, store.folder_answers())


async def verdict_on(store: Store, settings: Settings, session: Session) -> Verdict:
    """``folder_verdict`` for a session, in a thread: a folder may be large, or far away."""
    return await asyncio.to_thread(folder_verdict, store, settings, session.agent, session.working_directory)


def spec_for(store: Store, settings: Settings, session: Session) -> AgentSpec:
    """Begin, resume or fork: what the rows say. The prompt that is about to be sent is stored already."""
    conversation = session.session_id_claude or session.id
    return AgentSpec(
        session_id=session.id,
        kind=session.agent or "claude",
        working_directory=session.working_directory or str(settings.working_directory),
        # Asked again here: the process may have waited for its turn to start.
        trusts_folder=folder_verdict(store, settings, session.agent, session.working_directory).trusted,
        model=session.model,
        permission_mode=cast(PermissionMode, session.permission_mode or settings.permission_mode),
        conversation_id=conversation,
        resume=session.fork_conversation is None and _has_begun(store, session, conversation),
        fork_of=session.fork_conversation,
        fork_at=session.fork_message,
        may_bypass=store.may_bypass(session.id),
        max_cost_usd=session.max_cost_usd,
        max_turns=session.max_turns,
        total_cost_usd=_counts_from(store, session, conversation),
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


def _counts_from(store: Store, session: Session, conversation: str) -> float:
    """The running total that the next process starts from; a turn's own cost is counted from it.

    Claude Code goes on from what the last process that was not killed wrote down. What that one spent unheard is still
    to be counted, but a fork takes over all that its parent had spent by then, also after the point of the fork.
    """
    known = _total_cost(store, session, session.fork_conversation or conversation)
    if session.agent == "demo":
        return known
    written = running_total(session.fork_conversation or conversation)
    if written is None:
        return known
    return written if session.fork_conversation else min(written, known)


def _total_cost(store: Store, session: Session, conversation: str) -> float:
    """The last total that this conversation told."""
    last = store.last_event(session.id, "result")
    if last is None or not isinstance(last.event, Result) or last.event.session_id != conversation:
        return 0.0
    return last.event.total_cost_usd or 0.0
