"""The store: one SQLite file, one writer, many readers, and a bus that tells what changed."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from lulu.errors import Forbidden, InputError, LuluError, StoreBusy
from lulu.model.actors import LULU, Actor
from lulu.model.commands import (
    AddRule,
    AgentCommand,
    Command,
    CommandId,
    CommandStatus,
    Delete,
    Interrupt,
    SendNow,
    SetPermissionMode,
)
from lulu.model.events import Event, EventId, Result
from lulu.model.sessions import Launch, Session, SessionId, SessionStatus, new_session_id
from lulu.model.validation import checked_mode
from lulu.rules import Rule
from lulu.store.bus import HEALTH, INDEX, SESSIONS, Bus
from lulu.store.read.attention import Attention
from lulu.store.read.calls import Calls
from lulu.store.read.search import Searching
from lulu.store.rows import Approval
from lulu.store.sqlite import errors, writer
from lulu.store.sqlite.file import OpenedFile, open_file, unlocked_file
from lulu.store.sqlite.transaction import Transaction
from lulu.store.sqlite.writer import NoWriter, StoreHealth, Writer
from lulu.store.write import approvals, changes, folders, prompt_queue, recovery, search_index, session_commands
from lulu.store.write.access import Admitting
from lulu.store.write.approvals import Decision
from lulu.store.write.changes import Change, Recorded
from lulu.store.write.folders import Folders
from lulu.trust.answers import Asked

T = TypeVar("T")


class Store(Searching, Admitting, Folders, Attention, Calls):
    """What people asked for and agents did. Every write returns after its commit, or is a ``Future`` that does."""

    def __init__(self, opened: OpenedFile, *, bus: Bus | None = None) -> None:
        """With a bus, which then tells what another process writes, for reading only."""
        super().__init__(opened.path, opened.note)
        #: Raises ``InputError`` for a changed input that must not run; who runs agents sets it.
        self.check_input: Callable[[Approval, dict[str, object]], None] = lambda approval, changed: None
        self._file = opened
        self.bus = bus or Bus()
        if bus is None:
            opened.on_notice = lambda: self.bus.ring([HEALTH, SESSIONS])
            self._writer = Writer(opened.path, self.bus, mend_index=search_index.rebuild, on_mended=self._fill_index)
        else:
            self._writer = NoWriter()

    @classmethod
    def open(cls, path: Path) -> Store:
        """Lock, check, migrate and start writing. Raises a ``StoreError`` that says what to do."""
        with _private_files():
            opened = open_file(path)
        try:
            return cls(opened)
        except BaseException:
            opened.release()
            raise

    @classmethod
    def beside(cls, path: Path, bus: Bus) -> Store:
        """For reading a file that another process has; ``bus`` gives the numbers of that one's. Every write raises
        ``Forbidden``."""
        return cls(unlocked_file(path), bus=bus)

    def close(self, *, patience: float = math.inf) -> None:
        """Commit what is queued and let go of the file; one that cannot be written is given up within ``patience``
        seconds, and within ``CLOSE_SECONDS``."""
        until = time.monotonic() + min(patience, writer.CLOSE_SECONDS)
        # Readers first: the last connection to close folds the log into the file, and readers may not.
        self._close_readers(until - time.monotonic())
        self._writer.close(until - time.monotonic())
        self._file.release()

    @property
    def path(self) -> Path:
        """The database file."""
        return self._file.path

    @property
    def health(self) -> StoreHealth:
        """Whether commits go through now."""
        return self._writer.health

    @property
    def notices(self) -> list[LuluError]:
        """What the owner should know about the file: a damaged one kept aside, a backup made."""
        return list(self._file.notices)

    # -- people ------------------------------------------------------------------------------------------------------

    def submit(self, command: Command) -> CommandId:
        """Accept a command: it is committed when this returns. Raises ``Forbidden``, ``InputError``, ``StoreBusy``."""
        command.actor.require_owner()
        command.check()
        return self._commit(lambda tx: _accept(tx, command))

    def decide(
        self,
        actor: Actor,
        approval_id: str,
        *,
        approve: bool,
        message: str | None = None,
        updated_input: dict[str, object] | None = None,
        rule: AddRule | None = None,
        mode: str | None = None,
        stop: bool = False,
    ) -> Approval:
        """Answer a request; the first answer wins. Raises ``Forbidden``, ``Conflict`` and ``InputError``.

        ``rule`` is made with the answer ("don't ask again"); ``mode`` is the permission mode that holds from it on;
        ``stop`` ends the turn after a denial.
        """
        actor.require_owner()
        if rule is not None:
            rule.actor.require_owner()
            rule.check()
        if mode is not None:
            checked_mode(mode)
        _check_json(updated_input)
        asked = self.get_approval(approval_id) if approve and updated_input is not None else None
        if asked is not None and updated_input is not None and asked.status == "pending":
            # Nothing is stored as approved that the agent is then denied.
            self.check_input(asked, updated_input)
        decision = Decision(
            outcome="approved" if approve else "denied", message=message or None, updated_input=updated_input
        )

        def job(tx: Transaction) -> Approval:
            approval = approvals.decide(tx, actor, approval_id, decision)
            if rule is not None:
                _accept(tx, rule)
            session_id = SessionId(approval.session_id)
            if mode is not None:
                _accept(tx, SetPermissionMode(actor=actor, session_id=session_id, mode=mode, with_answer=approval_id))
            if stop:
                _accept(tx, Interrupt(actor=actor, session_id=session_id))
            return approval

        return self._commit(job)

    # -- the host ----------------------------------------------------------------------------------------------------

    def take(self, command_id: CommandId, change: Change | None = None) -> Future[bool]:
        """Take a pending command, and write what that changes with it: whether this caller has it."""
        return self._writer.submit(lambda tx: changes.take_command(tx, command_id, change))

    def end_command(
        self, command_id: CommandId, status: CommandStatus = CommandStatus.DONE, error: str | None = None
    ) -> Future[None]:
        """A command is over."""
        return self._writer.submit(lambda tx: changes.end_command(tx, command_id, status, error))

    def record(self, change: Change) -> Future[Recorded]:
        """Write what one message of an agent changed."""
        return self._writer.submit(lambda tx: changes.record(tx, change))

    def ask(self, approval: Approval) -> Future[None]:
        """An agent asks a person."""
        return self._writer.submit(lambda tx: approvals.ask(tx, approval))

    def decide_by_rule(self, approval: Approval, rule: Rule | None, *, approve: bool, why: str) -> Future[None]:
        """Store a request with its decision by a rule, or by Lulu itself if ``rule`` is None."""
        decision = Decision(outcome="approved" if approve else "denied", message=why, rule_id=rule.id if rule else None)
        return self._writer.submit(lambda tx: approvals.decide_by_rule(tx, approval, decision))

    def withdraw(self, approval_id: str) -> Future[Approval]:
        """The agent asks no longer. The ``Future`` raises ``Conflict`` where somebody has answered."""
        return self._writer.submit(lambda tx: approvals.decide(tx, LULU, approval_id, Decision(outcome="cancelled")))

    def close_out(
        self, session_id: str, status: SessionStatus, notes: Sequence[Event] = (), *, is_activity: bool = True
    ) -> Future[None]:
        """The session's agent is gone: see ``closing.close_out``. The notes are written if the status moves."""
        return self._writer.submit(
            lambda tx: recovery.close_out(tx, session_id, status, notes, is_activity=is_activity)
        )

    def ask_about_folder(self, session_id: str, asked: Sequence[Asked]) -> Future[None]:
        """The session's next prompt waits until the owner has answered about these folders."""
        return self._writer.submit(lambda tx: folders.ask(tx, session_id, asked))

    def end_folder_question(self, session_id: str) -> Future[bool]:
        """The session's next prompt waits for no answer any more: whether it did."""
        return self._writer.submit(lambda tx: folders.end(tx, session_id))

    def let_go(self, session_id: str) -> Future[None]:
        """The session's process is gone, and no turn of it is open: see ``closing.let_go``."""
        return self._writer.submit(lambda tx: recovery.let_go(tx, session_id))

    def note_cut_off(self, session_id: str) -> None:
        """Lulu stops and has ended this session's turn. Not waited for: what is not committed the recovery tells."""
        with contextlib.suppress(StoreBusy):
            self._writer.submit(lambda tx: recovery.note_cut_off(tx, session_id))

    def unfinished_sessions(self) -> Future[list[Session]]:
        """Return the sessions for the recovery, as they are before any later write."""
        return self._writer.submit(recovery.unfinished_sessions)

    def index_older(self) -> Future[bool]:
        """Index one step of older events. Returns whether there may be more."""
        step = self._writer.submit(search_index.index_older)
        step.add_done_callback(self._note_step)
        return step

    @property
    def waiting(self) -> int:
        """Writes that are not committed yet: what backpressure looks at."""
        return self._writer.waiting

    # -- single writes -----------------------------------------------------------------------------------------------

    def insert_session(
        self,
        launch: Launch,
        *,
        session_id: SessionId | None = None,
        status: SessionStatus = SessionStatus.STARTING,
    ) -> SessionId:
        """A new session, without a command."""
        new_id = session_id or new_session_id()
        self._commit(lambda tx: changes.insert_session(tx, new_id, launch, status))
        return new_id

    def insert_event(self, session_id: str, event: Event) -> EventId | None:
        """Append one event; nothing where the same message's block is stored already."""
        return self._commit(lambda tx: changes.insert_event(tx, session_id, event))

    def append(self, session_id: str, events: Sequence[Event]) -> list[EventId | None]:
        """Append the events of one message."""
        return self._commit(lambda tx: changes.record(tx, Change(session_id=session_id, events=events))).event_ids

    def move(self, session_id: str, status: SessionStatus) -> bool:
        """Move the status where that is allowed: whether it moved."""
        return self._commit(lambda tx: changes.move(tx, session_id, status))

    def update_session_completed(self, session_id: str, result: Result, status: SessionStatus) -> bool:
        """End a turn: its result event, its sums on the row, and the status. Whether the status moved."""
        change = Change(
            session_id=session_id,
            events=[result],
            status=status,
            clear_live=True,
            cost_usd=result.cost_usd or 0.0,
            duration_ms=result.duration_ms or 0.0,
            num_turns=result.num_turns or 0,
        )
        return self._commit(lambda tx: changes.record(tx, change)).moved

    def _note_step(self, step: Future[bool]) -> None:
        problem = step.exception()
        self.index_problem = None if problem is None else errors.while_indexing(problem)

    def _mend_index(self) -> None:
        with contextlib.suppress(StoreBusy, Forbidden):
            self._writer.submit(search_index.rebuild).add_done_callback(self._fill_index)

    def _fill_index(self, step: Future[Any] | None = None) -> None:
        """Step by step, each behind what agents have written meanwhile; after an error the host goes on, later."""
        if step is not None and step.exception() is not None:
            self.bus.ring([INDEX])
        elif step is None or step.result() is not False:
            with contextlib.suppress(StoreBusy):
                self.index_older().add_done_callback(self._fill_index)

    def _commit(self, job: Callable[[Transaction], T]) -> T:
        return self._writer.commit(job)


def _accept(tx: Transaction, command: Command) -> CommandId:
    """The command's row; one that only changes rows is carried out with it."""
    if isinstance(command, SendNow) and command.replaces is not None:
        prompt_queue.take_back(tx, command.session_id, command.replaces)
    if isinstance(command, AgentCommand):
        return changes.insert_command(tx, command)
    session_commands.apply(tx, command)
    # A deletion leaves its own row, without a session to hang on to.
    return CommandId(0) if isinstance(command, Delete) else changes.insert_done(tx, command)


def _check_json(updated_input: dict[str, object] | None) -> None:
    try:
        # Claude Code ends at once where it is told NaN or Infinity, which are no JSON.
        json.dumps(updated_input, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InputError(
            f"The changed input cannot be sent to the agent ({exc}).",
            safe="Your answer was not used.",
            next_step="Write it as plain JSON.",
        ) from exc


@contextmanager
def _private_files() -> Iterator[None]:
    """Files made inside are readable by their owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
