"""Sessions: the row as a value, the statuses, and the allowed changes between them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from lulu.errors import SessionNotFound

SessionId = NewType("SessionId", str)

#: The form of a row's id. Other ids are never looked up.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SessionStatus(StrEnum):
    """The state of a session. An unknown status is kept and shown unchanged, and never counts as live."""

    DRAFT = "draft"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


#: An agent works, is about to work, or waits for a person.
LIVE = frozenset({SessionStatus.STARTING, SessionStatus.RUNNING, SessionStatus.WAITING})
#: The last turn is over. A new prompt can start the next one.
ENDED = frozenset({SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.INTERRUPTED})

_ENDS = ENDED
#: The statuses after a new prompt. It may wait for an answer about its folder.
_NEXT_TURN = frozenset({SessionStatus.STARTING, SessionStatus.RUNNING, SessionStatus.WAITING})
#: The allowed changes of status. ``completed`` is a finished turn, not the end of the session.
ALLOWED: dict[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.DRAFT: frozenset({SessionStatus.STARTING}),
    SessionStatus.STARTING: frozenset({SessionStatus.RUNNING, SessionStatus.WAITING}) | _ENDS,
    SessionStatus.RUNNING: frozenset({SessionStatus.WAITING}) | _ENDS,
    SessionStatus.WAITING: frozenset({SessionStatus.STARTING, SessionStatus.RUNNING}) | _ENDS,
    SessionStatus.COMPLETED: _NEXT_TURN | {SessionStatus.FAILED},
    SessionStatus.FAILED: _NEXT_TURN,
    SessionStatus.INTERRUPTED: _NEXT_TURN | {SessionStatus.FAILED},
}


def sources_of(target: SessionStatus) -> list[SessionStatus]:
    """Return the statuses with a move to ``target``: the WHERE of a compare-and-set."""
    return [status for status, targets in ALLOWED.items() if target in targets]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """The settings of a new session, as the person chose them."""

    #: The first prompt, as typed.
    prompt: str
    #: Absolute path of the agent's folder.
    working_directory: str
    #: An alias or a full model name. ``None`` means the agent's own default.
    model: str | None = None
    #: Claude Code's permission mode.
    permission_mode: str = "default"
    #: A title given by the person. ``None`` means the first words of the prompt.
    title: str | None = None
    #: ``claude`` or ``demo``.
    agent: str = "claude"
    #: The SDK's cost limit for the whole session, in US dollars. It is checked after spending.
    max_cost_usd: float | None = None
    #: The most steps (round trips to the model) of one prompt.
    max_turns: int | None = None


@dataclass(frozen=True, kw_only=True)
class Session:
    """One row of ``sessions``."""

    id: SessionId
    title: str | None
    prompt: str
    #: One of ``SessionStatus``, or a status from another version.
    status: str
    model: str | None
    #: The id of the conversation in Claude Code, for resuming it.
    session_id_claude: str | None
    #: US dollars, the sum over this session's turns.
    cost_usd: float | None
    #: Milliseconds, the sum over this session's turns.
    duration_ms: float | None
    #: Steps (round trips to the model), the sum over this session's turns.
    num_turns: int | None
    created_at: datetime
    updated_at: datetime
    working_directory: str | None = None
    permission_mode: str | None = None
    #: ``claude`` or ``demo``; ``None`` for rows that another program wrote.
    agent: str | None = None
    parent_session_id: str | None = None
    #: The agent process, if there is one: its pid and start time (seconds since the epoch).
    agent_pid: int | None = None
    agent_started_at: float | None = None
    archived_at: datetime | None = None
    pinned_at: datetime | None = None
    #: ``person`` if a person gave the title. Such a title is never overwritten.
    title_source: str | None = None
    max_cost_usd: float | None = None
    max_turns: int | None = None
    #: Until a fork's first answer: the conversation that it continues, and the last message that it shares.
    fork_conversation: str | None = None
    fork_message: str | None = None
    #: The time of the last prompt, request, answer or end of a turn; ``None`` before the first.
    last_activity_at: datetime | None = None
    #: Milliseconds of ``duration_ms`` spent waiting for a person. ``None`` if they were not measured.
    waited_ms: float | None = None
    #: The number of queued prompts on hold.
    held_prompts: int = 0

    @property
    def active_at(self) -> datetime:
        """The time of the last activity. Lists are ordered by it."""
        return self.last_activity_at or self.created_at

    @property
    def known_status(self) -> SessionStatus | None:
        """The status, or ``None`` if this version does not know it."""
        try:
            return SessionStatus(self.status)
        except ValueError:
            return None

    @property
    def is_live(self) -> bool:
        """Whether an agent works on the session now. False for an unknown status."""
        return self.known_status in LIVE

    @property
    def name(self) -> str:
        """The name in lists: the title, or else the first 50 characters of the prompt. Never empty."""
        if self.title and self.title.strip():
            return self.title.strip()
        words = " ".join(self.prompt.split()) or "Untitled"
        return words if len(words) <= 50 else words[:50].rstrip() + "…"


def new_session_id() -> SessionId:
    """Return a new id. It is also the first ``session_id_claude``."""
    return SessionId(str(uuid.uuid4()))


def parse_session_id(text: object) -> SessionId:
    """Return the session id in a URL. Raises ``SessionNotFound`` if no row can have that id."""
    if isinstance(text, str) and _ID.fullmatch(text):
        return SessionId(text)
    raise SessionNotFound
