"""What of a session's page its next agent process will not remember: the page held against Claude Code's transcript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lulu.agent import AgentSpec, TranscriptMissing, Unreadable, parents
from lulu.model.events import Error, Event, Result, System, Text, Thinking, ToolUse, User
from lulu.store import Store

#: What stands above one of these is of another conversation, or was told to be forgotten.
_BEGINS = frozenset({"conversation_lost", "conversation_partly_lost", "conversation_reset", "forked"})
#: Stands for a note of this kind.
_TOLD = System(subtype="conversation_partly_lost", data={})
#: Events that are read at once.
_STEP = 200


def forgotten(store: Store, spec: AgentSpec) -> System | None:
    """The note on what a process that resumes or forks will not remember; nothing where it remembers all.

    Raises ``TranscriptMissing`` where nothing can be read of it.
    """
    if spec.kind == "demo" or not (spec.resume or spec.fork_of):
        return None
    page = list(_events(store, spec))
    answers = [uuid for event in page if (uuid := _answer(event))]
    if not answers:
        return None
    try:
        known = parents(spec.fork_of or spec.conversation_id)
    except Unreadable as exc:
        raise TranscriptMissing(f"Claude Code's record of this conversation cannot be read: {exc}.") from exc
    # Where there is none, Claude Code itself says so.
    if known is None or _is_whole(known, answers, is_told=page[-1] == _TOLD):
        return None
    turns = _turns_without(page, set(known))
    return System(subtype=_TOLD.subtype, data={"turns": turns, "last": answers[0] not in known})


def was_refused(store: Store, session_id: str) -> bool:
    """Whether the last thing that this session's agent did was to refuse to go on."""
    error, result = store.last_event(session_id, "error"), store.last_event(session_id, "result")
    if error is None or not isinstance(error.event, Error) or error.event.code != "ResumeRefused":
        return False
    return result is None or not isinstance(result.event, Result) or result.id < error.id


def _is_whole(known: Mapping[str, str | None], answers: list[str], *, is_told: bool) -> bool:
    """Whether each answer (newest first) is there, and all that the newest follows, back to a gap that was told.

    Claude Code bridges a gap: it remembers what stands on either side of it.
    """
    if not all(uuid in known for uuid in answers):
        return False
    at: str | None = answers[0]
    passed: set[str] = set()
    while at is not None and at not in passed and not (is_told and at == answers[-1]):
        if at not in known:
            return False
        passed.add(at)
        at = known[at]
    return True


def _turns_without(newest_first: list[Event], known: set[str]) -> int:
    """How many turns have an answer that is not there."""
    turns, is_lost = 0, False
    for event in newest_first:
        uuid = _answer(event)
        is_lost = is_lost or (uuid is not None and uuid not in known)
        if isinstance(event, User):
            turns += is_lost
            is_lost = False
    return turns


def _events(store: Store, spec: AgentSpec) -> Iterator[Event]:
    """What stands on the page of this conversation, newest first; at last ``_TOLD``, where it was told before that."""
    before, is_unspoken = None, spec.fork_of is not None
    while found := store.get_session_events(spec.session_id, before=before, limit=_STEP):
        before = found[0].id
        for stored in reversed(found):
            subtype = stored.event.subtype if isinstance(stored.event, System) else None
            if subtype in _BEGINS and not (subtype == "forked" and is_unspoken):
                if subtype == _TOLD.subtype:
                    yield _TOLD
                return
            # Of a fork that has not spoken, what was copied is what it goes on from.
            is_unspoken = is_unspoken and subtype != "forked"
            yield stored.event


def _answer(event: Event) -> str | None:
    """The uuid under which the main agent's answer stands in the transcript; nothing for anything else."""
    if not isinstance(event, Text | Thinking | ToolUse) or event.parent is not None:
        return None
    if isinstance(event, Text) and event.printed:
        return None
    return None if getattr(event, "partial", False) else event.uuid
