"""Find the part of a session's page that its next agent process will not remember.

Compares the page with Claude Code's session file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lulu.agent import AgentSpec, TranscriptMissing, Unreadable, parents
from lulu.model.events import Error, Event, Result, System, Text, Thinking, ToolUse, User
from lulu.store import Store

#: Events above one of these belong to another conversation, or are known as forgotten.
_BEGINS = frozenset({"conversation_lost", "conversation_partly_lost", "conversation_reset", "forked"})
#: Represents any note of this kind.
_TOLD = System(subtype="conversation_partly_lost", data={})
#: The number of events to read together.
_STEP = 200


def forgotten(store: Store, spec: AgentSpec) -> System | None:
    """Return a note on the forgotten part for a process that resumes or forks, or ``None``.

    ``None`` means that it will remember everything. Raises ``TranscriptMissing`` if the session file cannot be read.
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
    # Without a session file, Claude Code itself reports the problem.
    if known is None or _is_whole(known, answers, is_told=page[-1] == _TOLD):
        return None
    turns = _turns_without(page, set(known))
    return System(subtype=_TOLD.subtype, data={"turns": turns, "last": answers[0] not in known})


def was_refused(store: Store, session_id: str) -> bool:
    """Whether this session's agent ended its last attempt by refusing to resume."""
    error, result = store.events.last(session_id, "error"), store.events.last(session_id, "result")
    if error is None or not isinstance(error.event, Error) or error.event.code != "ResumeRefused":
        return False
    return result is None or not isinstance(result.event, Result) or result.id < error.id


def _is_whole(known: Mapping[str, str | None], answers: list[str], *, is_told: bool) -> bool:
    """Whether the record has each answer (newest first), and the whole chain before the newest.

    With ``is_told``, the chain may end at the oldest answer, because the gap before it is already on the page. Claude
    Code bridges a gap: it remembers both sides.
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
    """Return the number of turns with an answer that the session file does not have."""
    turns, is_lost = 0, False
    for event in newest_first:
        uuid = _answer(event)
        is_lost = is_lost or (uuid is not None and uuid not in known)
        if isinstance(event, User):
            turns += is_lost
            is_lost = False
    return turns


def _events(store: Store, spec: AgentSpec) -> Iterator[Event]:
    """Yield the page's events of this conversation, newest first.

    The last one is ``_TOLD`` if an earlier note on a gap comes before them.
    """
    before, is_unspoken = None, spec.fork_of is not None
    while found := store.events.of_session(spec.session_id, before=before, limit=_STEP):
        before = found[0].id
        for stored in reversed(found):
            subtype = stored.event.subtype if isinstance(stored.event, System) else None
            if subtype in _BEGINS and not (subtype == "forked" and is_unspoken):
                if subtype == _TOLD.subtype:
                    yield _TOLD
                return
            # A fork without an answer of its own continues from the copied events.
            is_unspoken = is_unspoken and subtype != "forked"
            yield stored.event


def _answer(event: Event) -> str | None:
    """Return the uuid of a main agent's answer in the session file, or ``None`` for other events."""
    if not isinstance(event, Text | Thinking | ToolUse) or event.parent is not None:
        return None
    if isinstance(event, Text) and event.printed:
        return None
    return None if getattr(event, "partial", False) else event.uuid
