"""Run one session's agent: send prompts, record its output, ask people, stop it. On the host's loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lulu.agent import Translation
from lulu.engine import options
from lulu.engine.live_text import LivePace
from lulu.engine.permissions import Asking
from lulu.engine.process.agent_process import Process
from lulu.engine.process.states import ProcessState
from lulu.engine.process.stop import INTERRUPT_SECONDS, STRAGGLERS_SECONDS, stop_turn
from lulu.engine.recorder import Recorder, done
from lulu.engine.resume import connected_agent, verdict_on
from lulu.engine.silence import Silence
from lulu.engine.turns import NO_RESULT, Progress, Turn, failure, last_words
from lulu.errors import AgentError, LuluError, SessionNotFound, StoreError
from lulu.model.commands import CommandId, StoredCommand
from lulu.model.events import Error, Event, System, User
from lulu.model.sessions import SessionStatus
from lulu.settings import Settings
from lulu.store import Change, LiveText, Store

if TYPE_CHECKING:
    from lulu.agent.client import Agent

log = logging.getLogger(__name__)

#: The number of uncommitted writes above which an agent is not read until the store has caught up.
MAX_WAITING = 10_000
#: Seconds for which an agent is kept after the end of a background task, for the turn that this causes.
WAKE_SECONDS = 10.0


class Worker:
    """One session's agent process, or the absence of one."""

    def __init__(
        self, session_id: str, store: Store, settings: Settings, starts: asyncio.Semaphore, changed: Callable[[], None]
    ) -> None:
        self.session_id = session_id
        self._store = store
        self._settings = settings
        self._starts = starts
        self._changed = changed
        self._process = Process()
        self._turn: Turn | None = None
        self._progress = Progress(session_id)
        self._recorder = Recorder(session_id, store)
        self._silence = Silence(settings, lambda turn: self._spawn(self._end_overdue(turn)))
        self._asking = Asking(
            session_id, store, settings, log_failure=self._recorder.log_failure, changed=self._silence.hear
        )
        self._settled = asyncio.Event()
        self._settled.set()
        #: Whether the running turn is being stopped.
        self.is_stopping = False
        #: Held while the agent starts or its options change. A prompt then waits, and a start uses the new options.
        self._changing = asyncio.Lock()
        self._live = LivePace(lambda live: self._recorder.record(Change(session_id=session_id, live=live)))
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_turn(self) -> bool:
        """Whether a turn runs, so that the next prompt has to wait."""
        return self._turn is not None

    @property
    def is_busy(self) -> bool:
        """Whether there is a turn, a request, a stop or a background task."""
        return bool(self._turn or self._asking or self.is_stopping or self._progress.is_active)

    @property
    def may_be_closed(self) -> bool:
        """Whether there is a process that can end now without a loss of work."""
        return self.is_connected and not self.is_busy and not self._progress.expects_turn

    @property
    def is_connected(self) -> bool:
        """Whether there is a process (or a demo agent) to close."""
        return self._process.agent is not None

    @property
    def is_resting(self) -> bool:
        """Whether there is an idle process, or one that is closing."""
        return (self.is_connected and not self.is_busy) or self._process.is_leaving

    @property
    def is_spent(self) -> bool:
        """Whether the worker can be dropped. The next one begins from the rows."""
        return not (self.is_busy or self.is_connected or self._process.is_leaving or self._tasks)

    @property
    def quiet_seconds(self) -> float:
        """Seconds since the agent's last output or input."""
        return self._silence.seconds

    def hand_on_answers(self) -> None:
        """Pass every answer that the store has by now to the agent."""
        self._asking.hand_on_answers()

    # -- prompts -----------------------------------------------------------------------------------------------------

    def expecting(self) -> contextlib.AbstractContextManager[None]:
        """Return a context for taking the next prompt. In it, the turn before cannot end the session."""
        return self._progress.expecting()

    def begin(self, stored: StoredCommand, prompt: User) -> None:
        """Start a turn for a taken command and its stored prompt. The worker is busy when this returns."""
        self._turn = Turn(command_id=stored.id, uuid=prompt.uuid or "")
        self._settled.clear()
        self._silence.hear()
        self._spawn(self._prompt(self._turn, stored, prompt.text))

    async def _prompt(self, turn: Turn, stored: StoredCommand, text: str) -> None:
        try:
            async with self._changing:
                agent = await self._usable_agent() or await self._open(turn)
            if agent is None:
                # Closing out clears the process columns, so no process may be left.
                await self._drop_agent()
                note = System(subtype="stopped", data={"by": "not started"})
                await self._close_out(SessionStatus.INTERRUPTED, [note])
                return
            self._recorder.record(Change(session_id=self.session_id, status=SessionStatus.RUNNING))
            self._silence.hear()
            self._process.move(ProcessState.WORKING)
            await agent.send(text, turn.uuid, self._store.commands.attachments(stored.attachment_ids))
        except LuluError as exc:
            # If the process died first, that is recorded, and another turn may have begun.
            if self._turn is turn:
                await self._drop_agent()
                await self._close_out(SessionStatus.FAILED, [failure(exc)])

    async def _usable_agent(self) -> Agent | None:
        """Return the running agent, or ``None`` if its limits or the trust in its folder have changed."""
        if (agent := self._process.reachable) is not None:
            session = self._store.sessions.get(self.session_id)
            trusts_folder = (await verdict_on(self._store, self._settings, session)).trusted
            wanted = (session.max_cost_usd, session.max_turns, trusts_folder)
            if (agent.spec.max_cost_usd, agent.spec.max_turns, agent.spec.trusts_folder) == wanted:
                return agent
        await self._drop_agent()
        return None

    async def _open(self, turn: Turn) -> Agent | None:
        """Return a connected agent, or ``None`` if the turn was stopped first. Raises ``AgentError``."""
        if (agent := await self._process.start_unless(turn.stop, self._connected, self._starts)) is None:
            return None
        self._process.take(agent)
        self._spawn(self._read(agent))
        # Before the prompt: a working process survives a kill of Lulu, and can only be found by these columns.
        process = {"agent_pid": agent.pid, "agent_started_at": agent.started_at}
        await self._recorder.commit(Change(session_id=self.session_id, columns=process))
        return None if turn.stop.is_set() else agent

    async def _connected(self) -> Agent:
        return await connected_agent(
            self._store, self._settings, self.session_id, self._asking.ask, self._asking.gate, self._recorder.record
        )

    # -- what the agent says -----------------------------------------------------------------------------------------

    async def _read(self, agent: Agent) -> None:
        problem: AgentError | None = None
        try:
            async for translation in agent.translations():
                while self._store.waiting > MAX_WAITING:
                    # Backpressure: the agent waits in its pipe until the store has caught up.
                    await asyncio.sleep(0.05)
                if self._process.agent is agent:
                    self._apply(translation)
                else:
                    self._recorder.record(last_words(self.session_id, translation))
        except AgentError as exc:
            problem = exc
        if self._process.agent is agent:
            self._process.lose()
            await self._process_ended(agent, problem)

    def _apply(self, said: Translation) -> None:
        self._silence.hear()
        if said.is_init and self.is_stopping and (agent := self._process.reachable):
            # An interrupt before init is confirmed but has no effect (claude-agent-sdk-typescript#429): send it again.
            self._spawn(agent.interrupt(INTERRUPT_SECONDS))
        if said.live is not None:
            self._live.show(LiveText(**vars(said.live), updated_at=datetime.now(UTC)))
        if said.clear_live:
            self._live.forget()
        turn = self._turn
        change = self._progress.follow(
            said,
            turn=turn,
            is_asking=bool(self._asking),
            is_fork=self._process.agent is not None and self._process.agent.spec.fork_of is not None,
            is_stopping=self.is_stopping,
        )
        if turn is not None and change.command_id == turn.command_id:
            self._turn = None
        if change != Change(session_id=self.session_id):
            self._recorder.record(change)
        self._silence.await_end(said, self._turn, owes_idle=self._progress.owes_idle)
        # A stop also waits for the end of a turn without a prompt.
        works = self._turn is not None or self._progress.works
        self._process.move(ProcessState.WORKING if works or self._progress.is_active else ProcessState.IDLE)
        (self._settled.clear if works else self._settled.set)()
        if said.turn_end is not None or said.state == "idle":
            self._changed()

    async def _end_overdue(self, turn: Turn | None) -> None:
        if turn is None and self._turn is None and self._progress.owes_idle:
            self._apply(Translation(state="idle"))
        if turn is None or self._turn is not turn:
            return
        self._progress.is_cut_short = was_stopped = self.is_stopping
        # Its further output would be taken for that of the next turn.
        await self._drop_agent()
        if self._turn is turn:
            status = SessionStatus.INTERRUPTED if was_stopped else SessionStatus.FAILED
            await self._close_out(status, [] if was_stopped else [failure(NO_RESULT)])

    async def _process_ended(self, agent: Agent, problem: AgentError | None) -> None:
        """Handle the end of the process, by itself or by a stop."""
        # A killed process leaves its tools running.
        self._spawn(asyncio.to_thread(agent.end_tools))
        was_busy = self.is_busy
        self._turn = None
        self._progress.end()
        self._asking.cancel_all()
        if not was_busy:
            self._recorder.let_go()
            self._changed()
        elif self.is_stopping or self._asking.shutting_down:
            await self._close_out(SessionStatus.INTERRUPTED, [])
        else:
            ended = AgentError("The agent's process ended in the middle of its turn.", stderr=agent.stderr_tail)
            await self._close_out(SessionStatus.FAILED, [failure(problem or ended)])
        with contextlib.suppress(Exception):
            # The process is gone. This only ends the SDK's own tasks, and their errors no longer matter.
            await agent.disconnect()

    # -- stopping ----------------------------------------------------------------------------------------------------

    def stop(self, command_id: CommandId | None = None) -> None:
        """Stop the running turn, by force if needed, and end the command that asked for it, if there is one."""
        self._spawn(self._stop(command_id))

    def change(self, command_id: CommandId, *, columns: dict[str, object], is_told: bool = False) -> None:
        """Change the mode or the model, also in a running turn. ``is_told``: an answer already carries it."""
        self._spawn(self._change(command_id, columns, is_told))

    async def _change(self, command_id: CommandId, columns: dict[str, object], is_told: bool) -> None:
        async with self._changing:
            agent = None if is_told else self._process.reachable
            change = await options.changed(self.session_id, command_id, agent, columns)
            self._progress.know(dict(change.columns))
            await self._recorder.commit(change)

    async def _stop(self, command_id: CommandId | None) -> None:
        note = await self._interrupt() if self.is_busy and not self.is_stopping else []
        await self._recorder.commit(Change(session_id=self.session_id, events=note, command_id=command_id))
        self._changed()

    async def _interrupt(self) -> list[Event]:
        """Interrupt, then SIGTERM, then SIGKILL. Return a note unless the turn's own result says enough."""
        self.is_stopping, self._progress.is_cut_short = True, False
        try:
            if self._turn is not None:
                self._turn.stop.set()
            if agent := self._process.reachable:
                self._spawn(agent.interrupt(INTERRUPT_SECONDS))
            took = await stop_turn(self._process.to_end, self._settled, self._abandon)
            if took != "interrupt":
                # The result may have come first, but the process is ending in any case.
                await self._abandon()
        finally:
            self.is_stopping = False
        is_told = took == "interrupt" and not self._progress.is_cut_short
        return [] if is_told else [System(subtype="stopped", data={"by": took})]

    async def _abandon(self) -> None:
        """Drop an agent that did not stop when it was asked to."""
        await self._drop_agent()
        if self._turn is not None or not self._settled.is_set():
            await self._close_out(SessionStatus.INTERRUPTED, [])

    async def close(self) -> None:
        """Close an idle agent; the next prompt resumes. Continues if the caller is cancelled."""
        await asyncio.shield(self._spawn(self._close()))

    async def _close(self) -> None:
        await self._drop_agent()
        if self._turn is None:
            # Otherwise this would clear the pid of the next process, because a prompt may have come meanwhile.
            self._recorder.let_go()

    def discard(self) -> None:
        """End the process and its tools, and write nothing more, because the session is deleted."""
        self._spawn(self._discard())

    async def _discard(self) -> None:
        self._turn = None
        if (agent := self._process.to_end()) is not None:
            agent.terminate()
        await self._drop_agent()
        if agent is not None:
            await asyncio.to_thread(agent.end_tools)
        self._settle()

    async def shut_down(self) -> None:
        """End the turn as interrupted, then the process, because Lulu stops."""
        self._asking.shutting_down = self._recorder.is_stopping = True
        if self.is_busy:
            await self._interrupt()
            self._store.sessions.note_cut_off(self.session_id)
        if self.is_connected:
            await self.close()
        if self._tasks:
            # A task that still waits for a commit waits for an unwritable file. The store has its own timeout.
            _, waiting = await asyncio.wait(self._tasks, timeout=STRAGGLERS_SECONDS)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def kill(self) -> None:
        """Send SIGKILL to the process, if there is one. May be called from any thread."""
        if (agent := self._process.agent) is not None:
            agent.kill()

    async def _drop_agent(self) -> None:
        if self._process.agent is None:
            return
        self._progress.end()
        self._asking.cancel_all()
        await self._process.drop()
        self._changed()

    # -- silence -----------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Report once that a running turn is silent for long, but never end it. Called every second."""
        if self.quiet_seconds >= WAKE_SECONDS:
            self._progress.expects_turn = False
        works = self._process.agent is not None and (self._turn is not None or self._progress.works)
        waits = self._asking or self._progress.waits_for_tools
        if works and not waits and self._silence.is_news():
            note = System(subtype="stalled", data={"seconds": round(self.quiet_seconds)})
            self._recorder.record(Change(session_id=self.session_id, events=[note]))

    # -- writing -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        self._settled.set()
        self._changed()

    async def _close_out(self, status: SessionStatus, notes: list[Event]) -> None:
        self._live.forget()
        self._turn = None
        self._progress.end()
        closed = self._store.sessions.close_out(
            self.session_id, status, notes, is_activity=not self._asking.shutting_down
        )
        try:
            if not self._asking.shutting_down:
                # Otherwise the store commits it, or gives up, when it closes. The process has to end now.
                await done(closed)
        finally:
            self._settle()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Any) -> None:
        """Run a task. An unexpected error fails this session's turn, and no other session."""
        try:
            await work
        except SessionNotFound:
            # The session was deleted meanwhile.
            await self._drop_agent()
        except StoreError as exc:
            log.error("session %s: %s", self.session_id, exc)
            await self._drop_agent()
            self._recorder.tell(exc)
            with contextlib.suppress(StoreError):
                await self._close_out(SessionStatus.FAILED, [])
        except Exception as exc:
            log.exception("session %s", self.session_id)
            await self._drop_agent()
            note = Error(message="Lulu failed here; this is a bug in Lulu.", code=type(exc).__name__, detail=str(exc))
            with contextlib.suppress(StoreError):
                await self._close_out(SessionStatus.FAILED, [note])
