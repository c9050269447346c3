"""Where a session's agent stands, and what each thing that it says changes in the rows. Pure: writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from lulu.agent import Translation, TurnEnd
from lulu.engine.resume import FORK_DONE
from lulu.errors import AgentError, LuluError
from lulu.model.commands import CommandId, CommandStatus
from lulu.model.events import Error, Text, Thinking, ToolResult, ToolUse
from lulu.model.sessions import ENDED, SessionStatus
from lulu.store import Change


@dataclass
class Turn:
    """A prompt under way."""

    command_id: CommandId
    #: The uuid that the prompt is sent with; its result names it.
    uuid: str
    #: The agent has begun to work on it, or on what stands before it.
    has_begun: bool = False
    #: Set when somebody wants it to stop.
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def is_answered_by(self, end: TurnEnd) -> bool:
        """Whether this result is the prompt's, told by its uuid; a CLI that names none answers what a person asked."""
        return self.uuid in end.prompt_uuids or (not end.prompt_uuids and end.asked)


def failure(exc: LuluError) -> Error:
    """The event that tells of an error."""
    return Error(
        message=exc.happened,
        code=type(exc).__name__,
        detail=getattr(exc, "stderr", "") or None,
        next_step=exc.next_step or None,
    )


#: Where a turn's result never comes.
NO_RESULT = AgentError(
    "The agent stopped working on this prompt and did not say how it ended.",
    next_step="Type to continue; if it happens again, update Claude Code.",
)


#: What an agent says only in a turn.
_WORK = (Text, Thinking, ToolUse, ToolResult)


def last_words(session_id: str, said: Translation) -> Change:
    """What a process that was let go of still says: nothing is lost, and whatever turn runs by now is not its own."""
    change = Change(session_id=session_id, events=said.events)
    if (end := said.turn_end) is None:
        return change
    return replace(change, cost_usd=end.cost_usd, duration_ms=end.duration_ms, num_turns=end.num_turns)


class Progress:
    """What is known of one session's agent between two frames."""

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        #: Tool calls without a result yet: a silence is theirs.
        #: By the sub-agent that calls and the call's id: two of them may number their calls alike.
        self.open_tools: set[tuple[str | None, str]] = set()
        #: The CLI is at work, be it on something that nobody here asked for.
        self.works = False
        #: Something in the background has ended, and the turn that this wakes has not begun: 0.1 s later with CLI
        #: 2.1.330, more on a busy machine. None comes where the running turn could still be told of it.
        self.expects_turn = False
        self._background_tasks = 0
        #: Since the last result the agent has begun something, and not only said that it works.
        self._has_begun = False
        #: The CLI says when it begins and ends to work (older ones do not).
        self._tells_state = False
        #: How the last turn ended: where the session is when the CLI is idle.
        self._last_end = SessionStatus.COMPLETED
        self._known: dict[str, object] = {}
        #: The host takes the next prompt, whose turn has not begun.
        self._is_next_taken = False
        #: A stop has ended what the agent itself calls completed or failed, or does not name.
        self.is_cut_short = False

    @property
    def is_active(self) -> bool:
        """Whether the agent works or has something under way in the background."""
        return self.works or self._background_tasks > 0

    @property
    def waits_for_tools(self) -> bool:
        """Whether a silence is that of a tool or of a sub-agent (whose own calls are not told from here on)."""
        return bool(self.open_tools) or (self.works and self._background_tasks > 0)

    @property
    def owes_idle(self) -> bool:
        """Whether it says that it works, where there is nothing that it could work on: it is to say that it is idle."""
        return self.works and self._background_tasks == 0 and not self._has_begun

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """While the next prompt is taken, tell no end of the turn before it."""
        self._is_next_taken = True
        try:
            yield
        finally:
            self._is_next_taken = False

    def know(self, columns: dict[str, object]) -> None:
        """These columns of the row are as the agent has them."""
        self._known |= columns

    def end(self) -> None:
        """The process is gone, or its turn was given up."""
        self.open_tools.clear()
        self.works = self.expects_turn = self._has_begun = False
        self._background_tasks = 0

    def follow(
        self, said: Translation, *, turn: Turn | None, is_asking: bool, is_fork: bool, is_stopping: bool
    ) -> Change:
        """The change that this makes; it carries the turn's command where it ends the turn."""
        if said.background_tasks is not None:
            self.expects_turn = self.expects_turn or said.background_tasks < self._background_tasks
            self._background_tasks = said.background_tasks
        self._follow_tools(said)
        speaks = any(event.parent is None and isinstance(event, _WORK) for event in said.events)
        begins = said.is_init or said.live is not None or speaks
        self._has_begun = said.turn_end is None and (self._has_begun or begins)
        columns = self._news_about_row(said)
        if said.is_init and is_fork:
            # The fork has a conversation of its own from here on.
            columns |= FORK_DONE
        change = Change(
            session_id=self._session_id,
            events=said.events,
            clear_live=said.clear_live,
            status=self._status_after(said, turn=turn, is_asking=is_asking, is_stopping=is_stopping),
            columns=columns,
        )
        if said.turn_end is not None:
            change = self._end_turn(change, self._as_stopped(said.turn_end) if is_stopping else said.turn_end, turn)
        # How the turn before it ended says nothing of a session whose next prompt is taken.
        return replace(change, status=None) if self._is_next_taken and change.status in ENDED else change

    def _as_stopped(self, end: TurnEnd) -> TurnEnd:
        """What ends while somebody stops it was interrupted, whatever the agent calls it."""
        self.is_cut_short = self.is_cut_short or end.status is not SessionStatus.INTERRUPTED
        return replace(end, status=SessionStatus.INTERRUPTED)

    def _follow_tools(self, said: Translation) -> None:
        for event in said.events:
            if isinstance(event, ToolUse):
                self.open_tools.add((event.parent, event.id))
            elif isinstance(event, ToolResult):
                self.open_tools.discard((event.parent, event.tool_use_id))

    def _status_after(
        self, said: Translation, *, turn: Turn | None, is_asking: bool, is_stopping: bool
    ) -> SessionStatus | None:
        self._tells_state = self._tells_state or said.state is not None
        if said.state == "running" or said.is_init:
            # A turn that a sub-agent's end wakes begins with an init only (measured with CLI 2.1.330).
            self.works = True
            self.expects_turn = False
            return None if is_asking else SessionStatus.RUNNING
        if said.state == "idle":
            held_back, self.works = self.works and turn is None, False
            if held_back and is_stopping:
                self.is_cut_short = self.is_cut_short or self._last_end is not SessionStatus.INTERRUPTED
                return SessionStatus.INTERRUPTED
            if held_back:
                return self._last_end
        return None

    def _news_about_row(self, said: Translation) -> dict[str, object]:
        told = {
            "session_id_claude": said.conversation_id,
            "model": said.model,
            "permission_mode": said.permission_mode,
        }
        news: dict[str, object] = {
            name: value for name, value in told.items() if value and self._known.get(name) != value
        }
        self._known |= news
        return news

    def _end_turn(self, change: Change, end: TurnEnd, turn: Turn | None) -> Change:
        change = replace(change, cost_usd=end.cost_usd, duration_ms=end.duration_ms, num_turns=end.num_turns)
        if turn is not None and not turn.is_answered_by(end):
            # A background task's turn ended while our prompt waits behind it.
            return change
        self.open_tools.clear()
        self._last_end = end.status
        # Sub-agents go on: the CLI is idle after them, and after the turn that they wake. It is idle at once where only
        # commands are left in the background.
        self.works = self._background_tasks > 0 and self._tells_state
        status = None if self.works else end.status
        if turn is None:
            return replace(change, status=status)
        return replace(
            change,
            status=status,
            command_id=turn.command_id,
            command_status=CommandStatus.FAILED if end.status is SessionStatus.FAILED else CommandStatus.DONE,
            command_error="interrupted" if end.status is SessionStatus.INTERRUPTED else None,
        )
