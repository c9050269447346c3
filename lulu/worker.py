"""One session's agent: sends the prompts, records what it says, asks people, stops it. Lives on the host's loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lulu.agent import AgentSpec, PermissionAnswer, PermissionRequest, TranscriptMissing, Translation, TurnEnd
from lulu.commands import CommandId, CommandStatus, StoredCommand
from lulu.errors import AgentError, Conflict, LuluError, StoreError
from lulu.events import Error, Event, System, ToolResult, ToolUse, User
from lulu.sessions import Session, SessionStatus
from lulu.settings import PermissionMode, Settings
from lulu.store import Approval, Change, LiveText, Store

if TYPE_CHECKING:
    from lulu.agent.client import Agent

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Seconds from one step of a stop to the next: ask, then SIGTERM, then SIGKILL.
INTERRUPT_SECONDS = 3.0
TERMINATE_SECONDS = 2.0
#: The live text of a session is stored at most this often (seconds).
LIVE_SECONDS = 0.1
#: Uncommitted writes above which an agent is not read further until the store has caught up.
MAX_WAITING = 10_000


@dataclass
class Turn:
    """A prompt under way."""

    command_id: CommandId
    #: The uuid that the prompt is sent with; its result names it.
    uuid: str
    #: Set when somebody wants it to stop.
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class Worker:
    """One session's agent process, or the place for one."""

    def __init__(
        self, session_id: str, store: Store, settings: Settings, starts: asyncio.Semaphore, changed: Callable[[], None]
    ) -> None:
        self.session_id = session_id
        self._store = store
        self._settings = settings
        self._starts = starts
        self._changed = changed
        self._agent: Agent | None = None
        self._turn: Turn | None = None
        #: The CLI is at work on something that nobody here asked for.
        self._active = False
        self._background_tasks = 0
        self._requests: dict[str, asyncio.Future[PermissionAnswer]] = {}
        self._open_tools: set[str] = set()
        self._known: dict[str, object] = {}
        self._settled = asyncio.Event()
        self._settled.set()
        self._stopping = False
        self._shutting_down = False
        self._live = _LiveText(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard = time.monotonic()
        self._told_stalled = False

    @property
    def has_turn(self) -> bool:
        """Whether a prompt is under way, so that the next one has to wait."""
        return self._turn is not None

    @property
    def is_busy(self) -> bool:
        """Whether closing the process now would lose something."""
        return bool(self._turn or self._active or self._requests or self._background_tasks or self._stopping)

    @property
    def is_connected(self) -> bool:
        """Whether there is a process (or a demo) to close."""
        return self._agent is not None

    @property
    def quiet_seconds(self) -> float:
        """Seconds since the agent was last heard or spoken to."""
        return time.monotonic() - self._heard

    @property
    def open_requests(self) -> list[str]:
        """Ids of the requests that wait for an answer."""
        return list(self._requests)

    # -- prompts -----------------------------------------------------------------------------------------------------

    def begin(self, stored: StoredCommand, text: str) -> None:
        """Start a turn with a command that the host has taken. The worker is busy when this returns."""
        self._turn = Turn(command_id=stored.id, uuid=str(uuid.uuid4()))
        self._settled.clear()
        self._hear()
        self._spawn(self._prompt(self._turn, stored, text))

    async def _prompt(self, turn: Turn, stored: StoredCommand, text: str) -> None:
        prompt = User(text=text, actor=stored.command.actor.name, command_id=stored.id, uuid=turn.uuid)
        await self._commit(Change(session_id=self.session_id, events=[prompt], status=SessionStatus.STARTING))
        try:
            agent = self._agent or await self._open(turn)
            if agent is None:
                await self._close_out(
                    SessionStatus.INTERRUPTED, [System(subtype="stopped", data={"by": "not started"})]
                )
                return
            self._record(Change(session_id=self.session_id, status=SessionStatus.RUNNING))
            await agent.send(text, turn.uuid)
        except LuluError as exc:
            await self._drop_agent()
            await self._close_out(SessionStatus.FAILED, [self._error_event(exc)])

    async def _open(self, turn: Turn) -> Agent | None:
        """A connected agent; nothing where somebody stopped the turn first. Raises ``AgentError``."""
        connecting = asyncio.create_task(self._connect())
        stopped = asyncio.create_task(turn.stop.wait())
        await asyncio.wait({connecting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            connecting.cancel()
            await asyncio.wait({connecting})
            return None
        stopped.cancel()
        agent = connecting.result()
        self._agent = agent
        self._record(
            Change(
                session_id=self.session_id,
                columns={"agent_pid": agent.pid, "agent_started_at": agent.started_at},
            )
        )
        self._spawn(self._read(agent))
        return None if turn.stop.is_set() else agent

    async def _connect(self) -> Agent:
        # Here and not at the top: the SDK takes a second to import, which would hold up the first page.
        from lulu.agent.client import Agent

        spec = self._spec(self._store.get_session(self.session_id))
        async with self._starts:
            agent = Agent(spec, self._settings, self._ask)
            try:
                await agent.connect()
            except TranscriptMissing:
                # Nothing to resume: it failed before its first answer, or Claude Code removed the transcript.
                spec = replace(spec, conversation_id=str(uuid.uuid4()), resume=False, total_cost_usd=0.0)
                agent = Agent(spec, self._settings, self._ask)
                await agent.connect()
                await self._commit(
                    Change(
                        session_id=self.session_id,
                        events=[System(subtype="conversation_lost", data={})],
                        columns={"session_id_claude": spec.conversation_id},
                    )
                )
        return agent

    def _spec(self, session: Session) -> AgentSpec:
        init = self._store.last_event(session.id, "system", subtype="init")
        result = self._store.last_event(session.id, "result")
        conversation = session.session_id_claude or session.id
        known_to_claude = init is not None and _data(init.event).get("session_id") == conversation
        before = result.event if result is not None else None
        same = getattr(before, "session_id", None) == conversation
        return AgentSpec(
            kind=session.agent or "claude",
            working_directory=session.working_directory or str(self._settings.working_directory),
            model=session.model,
            permission_mode=cast(PermissionMode, session.permission_mode or self._settings.permission_mode),
            conversation_id=conversation,
            resume=known_to_claude,
            total_cost_usd=(getattr(before, "total_cost_usd", None) or 0.0) if same else 0.0,
            # The prompt that is about to be sent is stored already.
            prompts_so_far=max(0, self._store.count_events(session.id, "user") - 1),
        )

    # -- what the agent says -----------------------------------------------------------------------------------------

    async def _read(self, agent: Agent) -> None:
        problem: AgentError | None = None
        try:
            async for translation in agent.translations():
                while self._store.waiting > MAX_WAITING:
                    # Backpressure: the agent waits in its pipe until the store has caught up.
                    await asyncio.sleep(0.05)
                self._apply(translation)
        except AgentError as exc:
            problem = exc
        if self._agent is agent:
            self._agent = None
            await self._process_ended(agent, problem)

    def _apply(self, said: Translation) -> None:
        self._hear()
        if said.is_init and self._stopping and self._agent:
            # An interrupt before init is confirmed but not heard (claude-agent-sdk-typescript#429): say it again.
            self._spawn(self._interrupt_again(self._agent))
        if said.background_tasks is not None:
            self._background_tasks = said.background_tasks
        self._follow_tools(said.events)
        if said.live is not None:
            self._live.show(LiveText(**vars(said.live), updated_at=datetime.now(UTC)))
        if said.clear_live:
            self._live.forget()
        change = Change(
            session_id=self.session_id,
            events=said.events,
            clear_live=said.clear_live,
            status=self._status_after(said),
            columns=self._news_about_row(said),
        )
        if said.turn_end is not None:
            change = self._end_turn(change, said.turn_end)
        if change != Change(session_id=self.session_id):
            self._record(change)

    def _status_after(self, said: Translation) -> SessionStatus | None:
        if said.state == "idle":
            self._active = False
            self._changed()
        if said.state == "running":
            self._active = True
            return None if self._requests else SessionStatus.RUNNING
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

    def _end_turn(self, change: Change, end: TurnEnd) -> Change:
        turn = self._turn
        ours = turn is not None and (turn.uuid in end.prompt_uuids or (not end.prompt_uuids and end.asked))
        change = replace(change, cost_usd=end.cost_usd, duration_ms=end.duration_ms, num_turns=end.num_turns)
        if turn is not None and not ours:
            # A background task's turn ended while our prompt waits behind it.
            return change
        self._open_tools.clear()
        self._active = False
        if turn is not None:
            stopped = end.status is SessionStatus.INTERRUPTED
            change = replace(
                change,
                command_id=turn.command_id,
                command_status=CommandStatus.FAILED if end.status is SessionStatus.FAILED else CommandStatus.DONE,
                command_error="interrupted" if stopped else None,
            )
            self._turn = None
        self._settle()
        return replace(change, status=end.status)

    def _follow_tools(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ToolUse):
                self._open_tools.add(event.id)
            elif isinstance(event, ToolResult):
                self._open_tools.discard(event.tool_use_id)

    async def _process_ended(self, agent: Agent, problem: AgentError | None) -> None:
        """The process went by itself, or was ended by a stop."""
        was_busy = self.is_busy
        self._turn, self._active, self._background_tasks = None, False, 0
        for future in self._requests.values():
            future.cancel()
        if not was_busy:
            self._record(Change(session_id=self.session_id, columns={"agent_pid": None, "agent_started_at": None}))
        elif self._stopping or self._shutting_down:
            await self._close_out(SessionStatus.INTERRUPTED, [])
        else:
            happened = problem or AgentError("The agent's process ended in the middle of its turn.")
            await self._close_out(SessionStatus.FAILED, [self._error_event(happened, agent.stderr_tail)])
        with contextlib.suppress(Exception):
            # The process is gone; this only ends the SDK's own tasks, and whatever they still complain of is old news.
            await agent.disconnect()

    # -- requests ----------------------------------------------------------------------------------------------------

    async def _ask(self, request: PermissionRequest) -> PermissionAnswer:
        answer: asyncio.Future[PermissionAnswer] = asyncio.get_running_loop().create_future()
        self._requests[request.id] = answer
        try:
            await _done(self._store.ask(_approval(self.session_id, request)))
            return await answer
        except asyncio.CancelledError:
            # The agent asks no longer: interrupted, or gone.
            if not self._shutting_down:
                self._ignore_conflict(self._store.withdraw(request.id))
            raise
        finally:
            del self._requests[request.id]
            self._hear()

    def answer_decided(self) -> None:
        """Hand on every answer that the store has by now."""
        for request_id, future in list(self._requests.items()):
            approval = self._store.get_approval(request_id)
            if approval is None or approval.status == "pending" or future.done():
                continue
            future.set_result(
                PermissionAnswer(
                    allow=approval.status == "approved",
                    message=approval.message,
                    updated_input=approval.updated_input,
                )
            )

    # -- stopping ----------------------------------------------------------------------------------------------------

    def stop(self, command_id: CommandId) -> None:
        """Stop the running turn, with force if need be; the command ends with what it took."""
        self._spawn(self._stop(command_id))

    async def _stop(self, command_id: CommandId) -> None:
        took = await self._interrupt() if self.is_busy and not self._stopping else "nothing to stop"
        note = [System(subtype="stopped", data={"by": took})] if took in ("terminate", "kill") else []
        await self._commit(Change(session_id=self.session_id, events=note, command_id=command_id))
        self._changed()

    async def _interrupt(self) -> str:
        """Ask, SIGTERM, SIGKILL: which it took."""
        self._stopping = True
        try:
            if self._turn is not None:
                self._turn.stop.set()
            if self._agent is not None:
                self._spawn(self._interrupt_again(self._agent))
            if await self._settles_within(INTERRUPT_SECONDS):
                return "interrupt"
            agent = self._agent
            if agent is None or agent.pid is None:
                await self._abandon(agent)
                return "interrupt"
            agent.terminate()
            if await self._settles_within(TERMINATE_SECONDS):
                return "terminate"
            agent.kill()
            await self._settles_within(TERMINATE_SECONDS)
            return "kill"
        finally:
            self._stopping = False

    async def _interrupt_again(self, agent: Agent) -> None:
        await agent.interrupt(INTERRUPT_SECONDS)

    async def _settles_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._settled.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _abandon(self, agent: Agent | None) -> None:
        """An agent without a process does not answer: let go of it."""
        await self._drop_agent()
        await self._close_out(SessionStatus.INTERRUPTED, [])

    async def close(self) -> None:
        """Close an idle agent; the next prompt resumes."""
        await self._drop_agent()
        self._record(Change(session_id=self.session_id, columns={"agent_pid": None, "agent_started_at": None}))

    async def shut_down(self) -> None:
        """Lulu stops: end the turn as interrupted, then the process."""
        self._shutting_down = True
        if self.is_busy:
            await self._interrupt()
        if self.is_connected:
            await self.close()

    async def _drop_agent(self) -> None:
        agent, self._agent = self._agent, None
        if agent is None:
            return
        try:
            await asyncio.wait_for(agent.disconnect(), TERMINATE_SECONDS)
        except Exception as exc:
            log.warning("agent of session %s did not close: %s", self.session_id, exc)
        agent.kill()

    # -- silence -----------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Tell once when a running turn has been silent for long. It is never ended for that."""
        silent = self.quiet_seconds
        waits = self._requests or self._open_tools or not self._turn
        if waits or self._told_stalled or silent < self._settings.stall_seconds:
            return
        self._told_stalled = True
        self._record(
            Change(session_id=self.session_id, events=[System(subtype="stalled", data={"seconds": round(silent)})])
        )

    def _hear(self) -> None:
        self._heard = time.monotonic()
        self._told_stalled = False

    # -- writing -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        self._settled.set()
        self._changed()

    async def _close_out(self, status: SessionStatus, notes: list[Event]) -> None:
        self._live.forget()
        self._turn = None
        self._active = False
        self._open_tools.clear()
        try:
            await _done(self._store.close_out(self.session_id, status, notes))
        finally:
            self._settle()

    def _error_event(self, exc: LuluError, stderr: str = "") -> Error:
        tail = stderr or (self._agent.stderr_tail if self._agent else "")
        message = " ".join(part for part in (exc.happened, exc.next_step) if part)
        return Error(message=message, code=type(exc).__name__, detail=tail or None)

    def record_live(self, live: LiveText) -> None:
        """Store the text that is being written."""
        self._record(Change(session_id=self.session_id, live=live))

    def _record(self, change: Change) -> None:
        """Write in order, without waiting; the store keeps what it cannot commit yet."""
        self._store.record(change).add_done_callback(_log_failure)

    async def _commit(self, change: Change) -> None:
        await _done(self._store.record(change))

    def _ignore_conflict(self, future: Future[Any]) -> None:
        future.add_done_callback(lambda done: None if isinstance(done.exception(), Conflict) else _log_failure(done))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Any) -> None:
        """The top of every task: an unforeseen error fails this session's turn, and no other session."""
        try:
            await work
        except StoreError as exc:
            log.error("session %s: %s", self.session_id, exc)
            self._turn = None
            self._settle()
        except Exception as exc:
            log.exception("session %s", self.session_id)
            note = Error(message="Lulu failed here; this is a bug in Lulu.", code=type(exc).__name__, detail=str(exc))
            await self._close_out(SessionStatus.FAILED, [note])


class _LiveText:
    """Stores the live text at most every ``LIVE_SECONDS``, always with the latest."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._latest: LiveText | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stored_at = 0.0

    def show(self, live: LiveText) -> None:
        """Store now, or when the pause is over."""
        self._latest = live
        if self._timer is None:
            pause = max(0.0, self._stored_at + LIVE_SECONDS - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(pause, self._store)

    def forget(self) -> None:
        """The block is finished or dropped; the change that says so clears the row."""
        self._latest = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _store(self) -> None:
        self._timer = None
        self._stored_at = time.monotonic()
        if self._latest is not None:
            self._worker.record_live(self._latest)


def _approval(session_id: str, request: PermissionRequest) -> Approval:
    return Approval(
        id=request.id,
        session_id=session_id,
        tool_use_id=request.tool_use_id,
        agent_id=request.agent_id,
        tool_name=request.tool_name,
        tool_input=request.tool_input,
        suggestions=request.suggestions,
        status="pending",
        updated_input=None,
        reason=request.reason,
        message=None,
        decided_by=None,
        rule_id=None,
        created_at=datetime.now(UTC),
        decided_at=None,
    )


def _data(event: Event) -> dict[str, Any]:
    return (event.data or {}) if isinstance(event, System) else {}


async def _done(future: Future[T]) -> T:
    return await asyncio.wrap_future(future)


def _log_failure(future: Future[Any]) -> None:
    if (exc := future.exception()) is not None:
        log.error("a change could not be written: %s", exc)
