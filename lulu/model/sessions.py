"""What a session is: its row as a value, its statuses, and the moves between them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from lulu.errors import SessionNotFound

SessionId = NewType("SessionId", str)

#: A row's id as Lulu and the seed write it; anything else is never looked up.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SessionStatus(StrEnum):
    """Where a session stands. A status outside this list is kept, shown as it is, and never counts as live."""

    DRAFT = "draft"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


#: An agent is at work, or is about to be, or waits for a person.
LIVE = frozenset({SessionStatus.STARTING, SessionStatus.RUNNING, SessionStatus.WAITING})
#: The last turn is over; a new prompt can start the next one.
ENDED = frozenset({SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.INTERRUPTED})

_ENDS = ENDED
#: A prompt may have to wait for an answer about its folder.
_NEXT_TURN = frozenset({SessionStatus.STARTING, SessionStatus.RUNNING, SessionStatus.WAITING})
#: From each status, where a session may go. ``completed`` is a finished turn, not the end of the session.
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
    """The statuses from which ``target`` may be reached: the WHERE of a compare-and-set."""
    return [status for status, targets in ALLOWED.items() if target in targets]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What a person asks for when they start a session."""

    #: The first prompt, as typed.
    prompt: str
    #: Absolute path of the folder that the agent works in.
    working_directory: str
    #: An alias or a full model name; nothing means the agent's own default.
    model: str | None = None
    #: Claude Code's permission mode.
    permission_mode: str = "default"
    #: A title given by the person; nothing means the first words of the prompt.
    title: str | None = None
    #: ``claude`` or ``demo``.
    agent: str = "claude"
    #: The SDK's own limit (US dollars of the whole session), which it checks after spending.
    max_cost_usd: float | None = None
    #: Round trips that one prompt may take.
    max_turns: int | None = None


@dataclass(frozen=True, kw_only=True)
class Session:
    """One row of ``sessions``."""

    id: SessionId
    title: str | None
    prompt: str
    #: One of ``SessionStatus``, or whatever another version wrote.
    status: str
    model: str | None
    #: The id under which Claude Code keeps this conversation; the one to resume.
    session_id_claude: str | None
    #: US dollars, the sum of this session's turns.
    cost_usd: float | None
    #: Milliseconds, the sum of this session's turns.
    duration_ms: float | None
    #: The sum of the turns' own counts (one API round trip each).
    num_turns: int | None
    created_at: datetime
    updated_at: datetime
    working_directory: str | None = None
    permission_mode: str | None = None
    #: ``claude`` or ``demo``; nothing for rows that another program wrote.
    agent: str | None = None
    parent_session_id: str | None = None
    #: The agent process, while there is one, and its start time (seconds since the epoch).
    agent_pid: int | None = None
    agent_started_at: float | None = None
    archived_at: datetime | None = None
    pinned_at: datetime | None = None
    #: ``person`` where somebody gave the title; such a title is never overwritten.
    title_source: str | None = None
    max_cost_usd: float | None = None
    max_turns: int | None = None
    #: Until a fork's first answer: the conversation that it continues, and the message up to which.
    fork_conversation: str | None = None
    fork_message: str | None = None
    #: The last prompt, request, answer or end of a turn; nothing while there was none.
    last_activity_at: datetime | None = None
    #: Milliseconds of ``duration_ms`` in which the agent waited for a person; nothing where that was not counted.
    waited_ms: float | None = None
    #: Queued prompts that a stop has put on hold.
    held_prompts: int = 0

    @property
    def active_at(self) -> datetime:
        """When something last happened that a person would know it by: what lists are ordered by."""
        return self.last_activity_at or self.created_at

    @property
    def known_status(self) -> SessionStatus | None:
        """The status, or nothing where this version does not know it."""
        try:
            return SessionStatus(self.status)
        except ValueError:
            return None

    @property
    def is_live(self) -> bool:
        """Whether an agent works on it now. An unknown status never does."""
        return self.known_status in LIVE

    @property
    def name(self) -> str:
        """What lists call it: the title, else the first 50 characters of the prompt; never nothing."""
        if self.title and self.title.strip():
            return self.title.strip()
        words = " ".join(self.prompt.split()) or "Untitled"
        return words if len(words) <= 50 else words[:50].rstrip() + "…"


def new_session_id() -> SessionId:
    """A fresh id; it is also the first ``session_id_claude``."""
    return SessionId(str(uuid.uuid4()))


def parse_session_id(text: object) -> SessionId:
    """The id in a URL. Raises ``SessionNotFound`` for anything that no row can have."""
    if isinstance(text, str) and _ID.fullmatch(text):
        return SessionId(text)
    raise SessionNotFound
