"""The agents' host: one thread with one loop. Hands each command to its session's worker; recovers."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lulu.agent import os_processes
from lulu.engine import options
from lulu.engine.admission import Admission
from lulu.engine.permissions import check_input
from lulu.engine.recorder import done, not_saved
from lulu.engine.worker import Worker
from lulu.errors import AgentError, LuluError, StoreBusy, StoreError
from lulu.model.commands import (
    CommandStatus,
    Interrupt,
    SendNow,
    SendPrompt,
    SetModel,
    SetPermissionMode,
    StartSession,
    StoredCommand,
)
from lulu.model.events import Error, System, User
from lulu.model.sessions import SessionStatus
from lulu.settings import Settings
from lulu.store import APPROVALS, COMMANDS, DELETED, HEALTH, INDEX, Change, Store

log = logging.getLogger(__name__)

#: Seconds between two searches for idle processes and silent turns.
WATCH_SECONDS = 1.0
#: Seconds that the start waits for recovery. A locked file takes longer.
RECOVERY_SECONDS = 2.0
#: Seconds between a failure of the loop and its restart.
BEGIN_AGAIN = 2.0
#: Seconds between two steps of indexing older events, and after a failed one.
INDEX_PAUSE, INDEX_RETRY = 0.05, 10.0
#: Seconds after which shutdown stops waiting for the agents' thread: the steps of a stop and a margin.
SHUTDOWN_SECONDS = 6.0


class AgentHost:
    """Runs every agent of this process."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        store.approvals.check_input = partial(check_input, store, settings)
        self._workers: dict[str, Worker] = {}
        self._ready = threading.Event()
        self._recovered = threading.Event()
        self._is_over = threading.Event()
        self._problem: AgentError | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="agents", daemon=True)

    def start(self) -> None:
        """Recover from a crash, then take commands. Returns even if the file cannot be written yet."""
        self._thread.start()
        self._ready.wait()
        self._recovered.wait(RECOVERY_SECONDS)

    def stop(self) -> None:
        """Interrupt all turns together, end every process, and return within ``SHUTDOWN_SECONDS``."""
        self._is_over.set()
        if self._thread.is_alive():
            # Between two tries there is no loop, or a closed one.
            with contextlib.suppress(AttributeError, RuntimeError):
                self._loop.call_soon_threadsafe(lambda: self._stop.set())
            self._thread.join(SHUTDOWN_SECONDS)
            for worker in list(self._workers.values()):
                # There is no worker any more, unless the thread hangs.
                worker.kill()

    @property
    def problem(self) -> AgentError | None:
        """The reason why no agent can run now, with its cause, or ``None`` if agents can run."""
        return self._problem

    @property
    def known(self) -> int:
        """The number of sessions that have a worker in memory."""
        return len(self._workers)

    @property
    def connected(self) -> int:
        """The number of sessions with an agent process (or a demo agent) now."""
        return sum(worker.is_connected for worker in list(self._workers.values()))

    def _run(self) -> None:
        """Run the loop. After a failure, report it to every page and start the loop again."""
        while True:
            try:
                self._loop = asyncio.new_event_loop()
                try:
                    asyncio.set_event_loop(self._loop)
                    self._loop.run_until_complete(self._main())
                finally:
                    self._loop.close()
            except BaseException as exc:
                self._report(exc)
            # A caller that waits for the start can return; pages show the rest.
            self._ready.set()
            self._recovered.set()
            if self._is_over.wait(BEGIN_AGAIN):
                return

    def _report(self, exc: BaseException | None) -> None:
        """Set the problem that keeps agents from running, or clear it with ``None``."""
        told, before = f"{type(exc).__name__}: {exc}", self._problem
        if exc is None:
            self._problem = None
        elif before is None or told not in str(before):
            log.error("agents cannot be run", exc_info=exc)
            self._problem = AgentError(
                f"Lulu cannot run agents now ({told}).",
                safe="What you send is stored, and waits.",
                next_step="Lulu tries again every few seconds. If this stays, look into its log and restart it.",
            )
            self._problem.__cause__ = exc
        if self._problem is not before:
            self._store.bus.ring([HEALTH])

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        if self._is_over.is_set():
            return
        self._workers = {}
        self._commands = asyncio.Event()
        self._decisions = asyncio.Event()
        self._older = asyncio.Event()
        self._resting = asyncio.Event()
        self._starts = asyncio.Semaphore(self._settings.max_starting)
        self._admission = Admission(self._store, self._settings, self._commands.set)
        unsubscribe = self._store.bus.subscribe(self._on_ring)
        self._commands.set()
        self._older.set()
        tasks = [
            asyncio.create_task(self._recover_and_work()),
            asyncio.create_task(self._repeat(self._decisions, self._hand_on_answers)),
            asyncio.create_task(self._repeat(self._resting, self._close_idle)),
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._repeat(self._older, self._index_older, pause=INDEX_RETRY)),
        ]
        self._ready.set()
        stopping = asyncio.create_task(self._stop.wait())
        try:
            ended, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                # No other task ends by itself, unless it fails.
                task.result()
        finally:
            unsubscribe()
            for task in (stopping, *tasks):
                task.cancel()
            await asyncio.gather(stopping, *tasks, self._admission.close(), return_exceptions=True)
            await asyncio.gather(*(worker.shut_down() for worker in self._workers.values()), return_exceptions=True)

    async def _recover_and_work(self) -> None:
        """Recover, then take commands. A command that came first would be closed out as cut off."""
        try:
            await recover(self._store)
        except Exception:
            # A retry would fail as well. Sessions without this problem go on.
            log.exception("what a crash left could not be closed out")
        self._recovered.set()
        # Before the first prompt, and after the first page can be served.
        await asyncio.to_thread(importlib.import_module, "lulu.agent.client")
        self._report(None)
        await self._repeat(self._commands, self._take_commands, is_needed=True)

    def _on_ring(self, topic: str, version: int) -> None:
        """Wake the loop. Runs in the writer's thread."""
        event = {COMMANDS: self._commands, APPROVALS: self._decisions, INDEX: self._older}.get(topic)
        if event is not None:
            self._loop.call_soon_threadsafe(event.set)
        if topic.startswith(DELETED):
            self._loop.call_soon_threadsafe(self._discard, topic.removeprefix(DELETED))

    def _discard(self, session_id: str) -> None:
        self._admission.forget(session_id)
        if (worker := self._workers.get(session_id)) is not None:
            worker.discard()

    async def _repeat(
        self,
        wanted: asyncio.Event,
        work: Callable[[], object],
        *,
        pause: float = WATCH_SECONDS,
        is_needed: bool = False,
    ) -> None:
        """Call ``work`` whenever ``wanted`` is set, and again after a failure; report one that ``is_needed``."""
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                found = work()
                if asyncio.iscoroutine(found):
                    await found
                if is_needed:
                    self._report(None)
            except Exception as exc:
                # The top of the task: one bad row or a busy file must not stop every session.
                log.exception("the host will try again")
                if is_needed and not isinstance(exc, StoreError):
                    # The store reports its own errors.
                    self._report(exc)
                await asyncio.sleep(pause)
                wanted.set()

    async def _take_commands(self) -> None:
        pending = self._store.commands.pending()
        for stored in pending:
            match stored.command:
                case Interrupt():
                    await self._take_interrupt(stored)
                case SetPermissionMode(mode=mode, with_answer=answer):
                    await self._take_change(stored, {"permission_mode": mode}, is_told=answer is not None)
                case SetModel(model=model):
                    await self._take_change(stored, {"model": model})
        # A `SendNow` goes before the queue.
        waiting: set[str] = set()
        for stored in sorted(pending, key=lambda one: not isinstance(one.command, SendNow)):
            session_id = stored.command.session_id
            if not isinstance(stored.command, StartSession | SendPrompt | SendNow) or session_id in waiting:
                continue
            if not self._is_free(stored):
                self._admission.forget(session_id)
            elif await self._admission.waits(session_id):
                waiting.add(session_id)
            else:
                await self._take_prompt(stored)

    def _is_free(self, stored: StoredCommand) -> bool:
        """Whether the prompt's turn may begin. For a `SendNow`, stop the running turn."""
        worker = self._worker(stored.command.session_id)
        if isinstance(stored.command, SendNow) and worker.has_turn and not worker.is_stopping:
            worker.stop()
        return not worker.has_turn and not worker.is_stopping and self._has_room(worker)

    async def _take_prompt(self, stored: StoredCommand) -> None:
        command = stored.command
        prompt = _prompt(stored)
        if (columns := options.typed_model(prompt)) is not None:
            chosen = [prompt, System(subtype="model_set", data=columns)]
            told = Change(session_id=command.session_id, events=chosen)
            if isinstance(command, StartSession):
                # The command is done, and its agent is not needed yet.
                told = replace(told, status=SessionStatus.COMPLETED, columns=columns)
            if await done(self._store.commands.take(stored.id, told)):
                self._worker(command.session_id).change(stored.id, columns=columns)
            return
        # In one transaction: otherwise a crash, or the deletion of the session, could lose a taken prompt.
        told = Change(session_id=command.session_id, events=[prompt], status=SessionStatus.STARTING)
        try:
            with self._worker(command.session_id).expecting():
                taken = await done(self._store.commands.take(stored.id, told))
        except StoreError as exc:
            await self._refuse(stored, prompt, exc)
            return
        if taken:
            # Not the worker from above: an idle one may have been dropped meanwhile.
            try:
                self._worker(command.session_id).begin(stored, prompt)
            except Exception as exc:
                # Taken, but not begun: without this the session would stay "starting".
                note = Error(
                    message="Lulu failed here; this is a bug in Lulu.", code=type(exc).__name__, detail=str(exc)
                )
                await done(self._store.sessions.close_out(command.session_id, SessionStatus.FAILED, [note]))
                raise

    async def _refuse(self, stored: StoredCommand, prompt: User, problem: StoreError) -> None:
        """Mark a prompt as failed because the file does not accept it. Later prompts can go on."""
        if isinstance(problem, StoreBusy):
            raise problem
        told = Change(
            session_id=stored.command.session_id,
            events=[not_saved(problem, [prompt])],
            status=SessionStatus.FAILED,
            command_id=stored.id,
            command_status=CommandStatus.FAILED,
            command_error=problem.happened,
        )
        try:
            await done(self._store.events.record(told))
        except StoreError:
            log.exception("session %s: the prompt could not be written, nor that it could not", told.session_id)
            await done(self._store.events.record(replace(told, events=[])))

    def _has_room(self, worker: Worker) -> bool:
        """Whether a turn may start: under ``max_running`` turns, and a process or room for a new one.
        There is no room while more than ``max_idle`` are idle or closing; on a busy machine, closing takes longer than
        a turn.
        """
        running = sum(other.has_turn for other in self._workers.values())
        resting = sum(other.is_resting for other in self._workers.values())
        return running < self._settings.max_running and (worker.is_connected or resting <= self._settings.max_idle)

    async def _take_change(self, stored: StoredCommand, columns: dict[str, object], *, is_told: bool = False) -> None:
        if await asyncio.wrap_future(self._store.commands.take(stored.id)):
            self._worker(stored.command.session_id).change(stored.id, columns=columns, is_told=is_told)

    async def _take_interrupt(self, stored: StoredCommand) -> None:
        session_id = stored.command.session_id
        if not await asyncio.wrap_future(self._store.commands.take(stored.id)):
            return
        worker = self._worker(session_id)
        if await done(self._store.folders.end_question(session_id)):
            await done(self._store.commands.end(stored.id, CommandStatus.DONE))
        elif not worker.has_turn and self._store.sessions.get(session_id).known_status is SessionStatus.STARTING:
            # Its first prompt waited for a free place, and is now on hold.
            note = System(subtype="stopped", data={"by": "not started"})
            await done(self._store.sessions.close_out(session_id, SessionStatus.INTERRUPTED, [note]))
        else:
            worker.stop(stored.id)

    def _hand_on_answers(self) -> None:
        for worker in self._workers.values():
            worker.hand_on_answers()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for worker in self._workers.values():
                try:
                    worker.watch()
                except Exception:
                    # An error of one session; the others must be watched, too.
                    log.exception("a session's agent could not be looked at")
            self._workers = {name: worker for name, worker in self._workers.items() if not worker.is_spent}
            self._resting.set()

    async def _index_older(self) -> None:
        """Add events from before the search index to it, in steps, behind the agents' writes."""
        while await asyncio.wrap_future(self._store.search.index_older()):
            await asyncio.sleep(INDEX_PAUSE)

    async def _close_idle(self) -> None:
        """Close the agents that are idle for too long, and the longest idle ones above ``max_idle``."""
        idle = sorted(
            (worker for worker in self._workers.values() if worker.may_be_closed),
            key=lambda worker: worker.quiet_seconds,
            reverse=True,
        )
        surplus = len(idle) - self._settings.max_idle
        limit = self._settings.idle_minutes * 60
        await asyncio.gather(
            *(worker.close() for place, worker in enumerate(idle) if place < surplus or worker.quiet_seconds > limit)
        )

    def _on_change(self) -> None:
        """Look again for a prompt to start and a process to close, because a worker has changed."""
        self._commands.set()
        self._resting.set()

    def _worker(self, session_id: str) -> Worker:
        if session_id not in self._workers:
            self._workers[session_id] = Worker(session_id, self._store, self._settings, self._starts, self._on_change)
        return self._workers[session_id]


def _prompt(stored: StoredCommand) -> User:
    """Return the prompt as an event, with the uuid for sending it."""
    command = stored.command
    return User(
        text=stored.prompt,
        actor=command.actor.name,
        command_id=stored.id,
        uuid=str(uuid.uuid4()),
        attachments=stored.attachment_ids or None,
    )


async def recover(store: Store) -> None:
    """After a crash: end the processes that survived it, and close out their sessions."""
    unfinished = await asyncio.wrap_future(store.sessions.unfinished())
    for session in unfinished:
        if session.agent_pid:
            os_processes.kill(session.agent_pid, session.agent_started_at)
    # Tools outlive a killed process, and a process outlives the row of a deleted session.
    await asyncio.to_thread(os_processes.end_marked, os_processes.mark_of(store.path))
    for session in unfinished:
        note = System(subtype="lulu_stopped", data={})
        try:
            closed = store.sessions.close_out(session.id, SessionStatus.INTERRUPTED, [note], is_activity=False)
            await asyncio.wrap_future(closed)
        except LuluError as exc:
            log.error("session %s could not be closed out: %s", session.id, exc)
