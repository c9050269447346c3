"""Sessions: lists of them, one by its id, and changes of one as a whole."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lulu.errors import SessionNotFound, StoreBusy
from lulu.model.events import Event
from lulu.model.sessions import LIVE, Launch, Session, SessionId, SessionStatus, new_session_id
from lulu.store import rows
from lulu.store.database import Reader, Writer
from lulu.store.sqlite.connection import folded
from lulu.store.write import changes, recovery
from lulu.text.unicode import as_text, as_unicode

#: Most characters of a list search: SQLite refuses patterns of 50,000 bytes.
SEARCH_TEXT = 1000
_HELD = "(SELECT count(*) FROM commands WHERE session_id = sessions.id AND held_at IS NOT NULL) AS held_prompts "
#: Selects sessions for lists. They show the beginning of titles and prompts, and a prompt may have megabytes.
SESSION_ROWS = (
    "SELECT id, substr(title, 1, 1000) AS title, substr(prompt, 1, 1000) AS prompt, status, model, "
    "session_id_claude, cost_usd, duration_ms, num_turns, created_at, updated_at, working_directory, "
    "permission_mode, agent, parent_session_id, agent_pid, agent_started_at, archived_at, pinned_at, title_source, "
    "max_cost_usd, max_turns, fork_conversation, fork_message, last_activity_at, waited_ms, " + _HELD + "FROM sessions "
)
#: By the last activity in either time format; equal times in the order of creation.
LATEST_FIRST = "ORDER BY replace(coalesce(last_activity_at, created_at), ' ', 'T') DESC, rowid DESC "
# ``+`` prevents an index on that column: the list has to be read in the order of time.
_LIST = (
    SESSION_ROWS + "WHERE (:search = '' OR instr(fold(CAST(title AS BLOB)), :search) > 0 "
    "OR instr(fold(CAST(prompt AS BLOB)), :search) > 0) "
    "AND (:status IS NULL OR +status = :status) AND (:folder IS NULL OR +working_directory = :folder) "
    "AND (:pinned IS NULL OR (pinned_at IS NOT NULL) = :pinned) "
    "AND (:archived IS NULL OR (archived_at IS NOT NULL) = :archived) " + LATEST_FIRST + "LIMIT :limit"
)
# A session that waits without a request counts from the last change of its row.
_WAITING = (
    SESSION_ROWS + "WHERE status = 'waiting' ORDER BY coalesce("
    "(SELECT min(created_at) FROM approvals WHERE session_id = sessions.id AND status = 'pending'), "
    "replace(updated_at, ' ', 'T')), rowid"
)
# A session's last events contain the note that Lulu stopped. Only a prompt ends that state.
_CUT_OFF = (
    SESSION_ROWS + "WHERE status = 'interrupted' AND archived_at IS NULL AND ("
    "SELECT CASE WHEN event_type = 'system' THEN replace(created_at, ' ', 'T') END FROM ("
    "SELECT id, event_type, payload, created_at FROM conversation_events WHERE session_id = sessions.id "
    "ORDER BY id DESC LIMIT 20) WHERE event_type = 'user' OR (event_type = 'system' "
    "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.subtype') END = 'lulu_stopped') "
    "ORDER BY id DESC LIMIT 1) >= :since "
    "AND NOT EXISTS (SELECT 1 FROM commands WHERE session_id = sessions.id AND +status = 'pending' "
    "AND held_at IS NULL AND kind IN ('prompt', 'send_now')) " + LATEST_FIRST
)


@dataclass(frozen=True, kw_only=True)
class Show:
    """Filters of the session list; None means any."""

    status: str | None = None
    folder: str | None = None
    pinned: bool | None = None
    archived: bool | None = None


class Sessions:
    """Reads and inserts sessions, and changes their status."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._query = reader.query
        self._submit = writer.submit
        self._commit = writer.commit

    def get(self, session_id: str) -> Session:
        """Return one session. Raises ``SessionNotFound``."""
        found = self._query("SELECT *, " + _HELD + "FROM sessions WHERE id = :id", id=session_id)
        if not found:
            raise SessionNotFound
        return rows.session(found[0])

    def latest(self, *, limit: int = 50, search: str = "", show: Show | None = None) -> list[Session]:
        """Return sessions by last activity; with ``search``, by a part of title or prompt.

        Case does not matter. Titles and prompts are cut after 1,000 characters.
        """
        wanted = show or Show()
        return self._list(
            _LIST,
            limit=limit,
            search=folded(as_text(search[:SEARCH_TEXT])),
            status=wanted.status,
            folder=wanted.folder,
            pinned=wanted.pinned,
            archived=wanted.archived,
        )

    def live(self) -> list[Session]:
        """Return the sessions that start, run or wait, by last activity; texts as in ``latest``."""
        return self._list(
            SESSION_ROWS + "WHERE status IN (:starting, :running, :waiting) " + LATEST_FIRST,
            **{status.value: status.value for status in LIVE},
        )

    def waiting(self) -> list[Session]:
        """Return the waiting sessions, by their oldest request; texts as in ``latest``."""
        return self._list(_WAITING)

    def cut_off(self, since: datetime) -> list[Session]:
        """Return the sessions that a stop or crash of Lulu interrupted at ``since`` or later.

        Sessions that were continued, archived or have a prompt in the queue are left out. The last active is first;
        texts as in ``latest``.
        """
        return self._list(_CUT_OFF, since=since.strftime("%Y-%m-%dT%H:%M:%S"))

    def failed_since(self, moment: datetime) -> list[Session]:
        """Return the sessions that failed at ``moment`` or later; texts as in ``latest``."""
        return self._list(
            SESSION_ROWS + "WHERE status = 'failed' AND replace(updated_at, ' ', 'T') >= :since " + LATEST_FIRST,
            since=moment.strftime("%Y-%m-%dT%H:%M:%S"),
        )

    def on_hold(self) -> list[Session]:
        """Return the unarchived sessions with prompts on hold; texts as in ``latest``."""
        return self._list(
            SESSION_ROWS + "WHERE id IN (SELECT session_id FROM commands WHERE held_at IS NOT NULL) "
            "AND archived_at IS NULL " + LATEST_FIRST
        )

    def forks_of(self, session_id: str) -> list[Session]:
        """Return the forks of a session by last activity; texts as in ``latest``."""
        return self._list(SESSION_ROWS + "WHERE parent_session_id = :id " + LATEST_FIRST, id=session_id)

    def recent_folders(self, limit: int = 8) -> list[str]:
        """Return working directories, the last used first."""
        found = self._query(
            "SELECT working_directory AS folder FROM sessions WHERE working_directory IS NOT NULL "
            "GROUP BY working_directory "
            "ORDER BY max(replace(coalesce(last_activity_at, created_at), ' ', 'T')) DESC LIMIT :limit",
            limit=limit,
        )
        return [as_unicode(str(row["folder"])) for row in found]

    def may_bypass(self, session_id: str) -> bool:
        """Whether the session was started to bypass permissions, so that it may do so again."""
        return bool(self._query(rows.MAY_BYPASS, id=session_id))

    def insert(
        self,
        launch: Launch,
        *,
        session_id: SessionId | None = None,
        status: SessionStatus = SessionStatus.STARTING,
    ) -> SessionId:
        """Insert a session without a command, and return its id."""
        new_id = session_id or new_session_id()
        self._commit(lambda tx: changes.insert_session(tx, new_id, launch, status))
        return new_id

    def move(self, session_id: str, status: SessionStatus) -> bool:
        """Change the status if ``ALLOWED`` has that transition. Returns whether it changed."""
        return self._commit(lambda tx: changes.move(tx, session_id, status))

    def close_out(
        self, session_id: str, status: SessionStatus, notes: Sequence[Event] = (), *, is_activity: bool = True
    ) -> Future[None]:
        """Close a session after the end of its agent, see ``recovery.close_out``.

        The notes are written if the status changes.
        """
        return self._submit(lambda tx: recovery.close_out(tx, session_id, status, notes, is_activity=is_activity))

    def let_go(self, session_id: str) -> Future[None]:
        """Clear the ended process of a session without an open turn, see ``recovery.let_go``."""
        return self._submit(lambda tx: recovery.let_go(tx, session_id))

    def note_cut_off(self, session_id: str) -> None:
        """Note that Lulu has stopped this session's turn. Does not wait for the commit.

        If the commit is lost, the recovery at the next start notes it.
        """
        with contextlib.suppress(StoreBusy):
            self._submit(lambda tx: recovery.note_cut_off(tx, session_id))

    def unfinished(self) -> Future[list[Session]]:
        """Return the sessions for the recovery, as they are before any later write."""
        return self._submit(recovery.unfinished_sessions)

    def _list(self, sql: str, **values: Any) -> list[Session]:
        return [rows.session(row) for row in self._query(sql, **values)]
