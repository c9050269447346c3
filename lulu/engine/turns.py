"""Track the state of a session's agent, and turn its output into changes of the rows. Pure."""

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
    """A prompt with a running turn."""

    command_id: CommandId
    #: The uuid that the prompt is sent with. The result has it, too.
    uuid: str
    #: Whether the agent works on the prompt, or on earlier ones.
    has_begun: bool = False
    #: Set when a person or Lulu stops the turn.
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def is_answered_by(self, end: TurnEnd) -> bool:
        """Whether this result belongs to the prompt, by its uuid.

        A CLI that sends no uuids answers the open prompt, unless the turn was of a background task.
        """
        return self.uuid in end.prompt_uuids or (not end.prompt_uuids and end.asked)


def failure(exc: LuluError) -> Error:
    """Return the event for an error."""
    return Error(
        message=exc.happened,
        code=type(exc).__name__,
        detail=getattr(exc, "stderr", "") or None,
        next_step=exc.next_step or None,
    )


#: The error of a turn without a result.
NO_RESULT = AgentError(
    "The agent stopped working on this prompt and did not say how it ended.",
    next_step="Type to continue; if it happens again, update Claude Code.",
)


#: Events that an agent sends only in a turn.
_WORK = (Text, Thinking, ToolUse, ToolResult)


def last_words(session_id: str, said: Translation) -> Change:
    """Return the change for output of a dropped process.

    Its events are kept. They do not affect the turn that runs by now, in another process.
    """
    change = Change(session_id=session_id, events=said.events)
    if (end := said.turn_end) is None:
        return change
    return replace(change, cost_usd=end.cost_usd, duration_ms=end.duration_ms, num_turns=end.num_turns)


class Progress:
    """The known state of one session's agent between two frames."""

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        #: Tool calls without a result, by sub-agent and call id (two sub-agents may use the same ids). They explain a
        #: silence.
        self.open_tools: set[tuple[str | None, str]] = set()
        #: Whether the CLI works, also on something without a prompt.
        self.works = False
        #: A background task has ended, and the turn that it causes has not begun. CLI 2.1.330 needs 0.1 s for that, and
        #: more on a busy machine. No turn follows if the running one could still be informed.
        self.expects_turn = False
        self._background_tasks = 0
        #: Whether the agent has begun something since the last result, and did not only say that it works.
        self._has_begun = False
        #: Whether the CLI reports when it begins and ends to work. Older ones do not.
        self._tells_state = False
        #: The end of the last turn: the session's status when the CLI becomes idle.
        self._last_end = SessionStatus.COMPLETED
        self._known: dict[str, object] = {}
        #: The host is taking the next prompt, and its turn has not begun.
        self._is_next_taken = False
        #: A stop ended a turn that the agent itself reports as completed or failed, or does not report.
        self.is_cut_short = False

    @property
    def is_active(self) -> bool:
        """Whether the agent works or has background tasks."""
        return self.works or self._background_tasks > 0

    @property
    def waits_for_tools(self) -> bool:
        """Whether the agent is quiet because a tool or a sub-agent runs.

        Calls of sub-agents are not reported here, so background tasks count, too.
        """
        return bool(self.open_tools) or (self.works and self._background_tasks > 0)

    @property
    def owes_idle(self) -> bool:
        """Whether the agent reports that it works, with no known work. It still has to report "idle"."""
        return self.works and self._background_tasks == 0 and not self._has_begun

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Ignore the end of the previous turn while the next prompt is taken."""
        self._is_next_taken = True
        try:
            yield
        finally:
            self._is_next_taken = False

    def know(self, columns: dict[str, object]) -> None:
        """Note the values of columns that the agent has already."""
        self._known |= columns

    def end(self) -> None:
        """Reset the state, because the process has ended or its turn was abandoned."""
        self.open_tools.clear()
        self.works = self.expects_turn = self._has_begun = False
        self._background_tasks = 0

    def follow(
        self, said: Translation, *, turn: Turn | None, is_asking: bool, is_fork: bool, is_stopping: bool
    ) -> Change:
        """Return the change for this output. It has the turn's command if it ends the turn."""
        if said.background_tasks is not None:
            self.expects_turn = self.expects_turn or said.background_tasks < self._background_tasks
            self._background_tasks = said.background_tasks
        self._follow_tools(said)
        speaks = any(event.parent is None and isinstance(event, _WORK) for event in said.events)
        begins = said.is_init or said.live is not None or speaks
        self._has_begun = said.turn_end is None and (self._has_begun or begins)
        columns = self._news_about_row(said)
        if said.is_init and is_fork:
            # From now on, the fork has a conversation of its own.
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
        # The end of the previous turn is no status of a session whose next prompt is being taken.
        return replace(change, status=None) if self._is_next_taken and change.status in ENDED else change

    def _as_stopped(self, end: TurnEnd) -> TurnEnd:
        """Return the end of a turn under a stop: interrupted, for every status that the agent reports."""
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
            # The turn after a sub-agent's end begins with an init only (measured with CLI 2.1.330).
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
            # The turn of a background task has ended; the prompt waits behind it.
            return change
        self.open_tools.clear()
        self._last_end = end.status
        # Sub-agents go on: the CLI becomes idle after them and after the turn that they cause. It becomes idle
        # immediately if only commands are left in the background.
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
