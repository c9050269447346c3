"""Reads sessions, makes them and moves their status."""

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

#: More characters are not looked for: SQLite refuses patterns of 50,000 bytes.
SEARCH_TEXT = 1000
_HELD = "(SELECT count(*) FROM commands WHERE session_id = sessions.id AND held_at IS NOT NULL) AS held_prompts "
#: For lists: they show how titles and prompts begin, and a prompt may be megabytes long.
SESSION_ROWS = (
    "SELECT id, substr(title, 1, 1000) AS title, substr(prompt, 1, 1000) AS prompt, status, model, "
    "session_id_claude, cost_usd, duration_ms, num_turns, created_at, updated_at, working_directory, "
    "permission_mode, agent, parent_session_id, agent_pid, agent_started_at, archived_at, pinned_at, title_source, "
    "max_cost_usd, max_turns, fork_conversation, fork_message, last_activity_at, waited_ms, " + _HELD + "FROM sessions "
)
#: By the last activity, whichever form its time is written in; those of one instant in the order they came.
LATEST_FIRST = "ORDER BY replace(coalesce(last_activity_at, created_at), ' ', 'T') DESC, rowid DESC "
# ``+``: the list is read in the order of time, which an index on another column cannot give.
_LIST = (
    SESSION_ROWS + "WHERE (:search = '' OR instr(fold(CAST(title AS BLOB)), :search) > 0 "
    "OR instr(fold(CAST(prompt AS BLOB)), :search) > 0) "
    "AND (:status IS NULL OR +status = :status) AND (:folder IS NULL OR +working_directory = :folder) "
    "AND (:pinned IS NULL OR (pinned_at IS NOT NULL) = :pinned) "
    "AND (:archived IS NULL OR (archived_at IS NOT NULL) = :archived) " + LATEST_FIRST + "LIMIT :limit"
)
# Some wait without a request: they have since their row last changed.
_WAITING = (
    SESSION_ROWS + "WHERE status = 'waiting' ORDER BY coalesce("
    "(SELECT min(created_at) FROM approvals WHERE session_id = sessions.id AND status = 'pending'), "
    "replace(updated_at, ' ', 'T')), rowid"
)
# What is cut off is told in a session's last events, and nothing but a prompt begins anew.
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
    """Which sessions a list shows; nothing means any."""

    status: str | None = None
    folder: str | None = None
    pinned: bool | None = None
    archived: bool | None = None


class Sessions:
    """The sessions of a store."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._query = reader.query
        self._submit = writer.submit
        self._commit = writer.commit

    def get(self, session_id: str) -> Session:
        """One session. Raises ``SessionNotFound``."""
        found = self._query("SELECT *, " + _HELD + "FROM sessions WHERE id = :id", id=session_id)
        if not found:
            raise SessionNotFound
        return rows.session(found[0])

    def latest(self, *, limit: int = 50, search: str = "", show: Show | None = None) -> list[Session]:
        """The last active first; with ``search``, those whose title or prompt contains it, in capital or small letters.

        Titles and prompts come as their first 1,000 characters.
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
        """Those that start, run or wait, the last active first; texts as in ``latest``."""
        return self._list(
            SESSION_ROWS + "WHERE status IN (:starting, :running, :waiting) " + LATEST_FIRST,
            **{status.value: status.value for status in LIVE},
        )

    def waiting(self) -> list[Session]:
        """Those that wait for a person, in the order of their oldest request; texts as in ``latest``."""
        return self._list(_WAITING)

    def cut_off(self, since: datetime) -> list[Session]:
        """Those that Lulu's own end, planned or not, has cut off at ``since`` or later, and that have not gone on; the
        last active first, texts as in ``latest``."""
        return self._list(_CUT_OFF, since=since.strftime("%Y-%m-%dT%H:%M:%S"))

    def failed_since(self, moment: datetime) -> list[Session]:
        """Those that failed at ``moment`` or later and were not touched since, the last first; texts as in the list."""
        return self._list(
            SESSION_ROWS + "WHERE status = 'failed' AND replace(updated_at, ' ', 'T') >= :since " + LATEST_FIRST,
            since=moment.strftime("%Y-%m-%dT%H:%M:%S"),
        )

    def on_hold(self) -> list[Session]:
        """Those with prompts on hold, but for archived ones, newest first; texts as in ``latest``."""
        return self._list(
            SESSION_ROWS + "WHERE id IN (SELECT session_id FROM commands WHERE held_at IS NOT NULL) "
            "AND archived_at IS NULL " + LATEST_FIRST
        )

    def forks_of(self, session_id: str) -> list[Session]:
        """Sessions that were forked from this one, the last active first; texts as in ``latest``."""
        return self._list(SESSION_ROWS + "WHERE parent_session_id = :id " + LATEST_FIRST, id=session_id)

    def recent_folders(self, limit: int = 8) -> list[str]:
        """Working directories, the latest used first."""
        found = self._query(
            "SELECT working_directory AS folder FROM sessions WHERE working_directory IS NOT NULL "
            "GROUP BY working_directory "
            "ORDER BY max(replace(coalesce(last_activity_at, created_at), ' ', 'T')) DESC LIMIT :limit",
            limit=limit,
        )
        return [as_unicode(str(row["folder"])) for row in found]

    def may_bypass(self, session_id: str) -> bool:
        """Whether the session was launched to bypass permissions, so that it can be changed to do so again."""
        return bool(self._query(rows.MAY_BYPASS, id=session_id))

    def insert(
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

    def move(self, session_id: str, status: SessionStatus) -> bool:
        """Move the status where that is allowed: whether it moved."""
        return self._commit(lambda tx: changes.move(tx, session_id, status))

    def close_out(
        self, session_id: str, status: SessionStatus, notes: Sequence[Event] = (), *, is_activity: bool = True
    ) -> Future[None]:
        """The session's agent is gone: see ``recovery.close_out``. The notes are written if the status moves."""
        return self._submit(lambda tx: recovery.close_out(tx, session_id, status, notes, is_activity=is_activity))

    def let_go(self, session_id: str) -> Future[None]:
        """The session's process is gone, and no turn of it is open: see ``recovery.let_go``."""
        return self._submit(lambda tx: recovery.let_go(tx, session_id))

    def note_cut_off(self, session_id: str) -> None:
        """Lulu stops and has ended this session's turn. Not waited for: what is not committed the recovery tells."""
        with contextlib.suppress(StoreBusy):
            self._submit(lambda tx: recovery.note_cut_off(tx, session_id))

    def unfinished(self) -> Future[list[Session]]:
        """Return the sessions for the recovery, as they are before any later write."""
        return self._submit(recovery.unfinished_sessions)

    def _list(self, sql: str, **values: Any) -> list[Session]:
        return [rows.session(row) for row in self._query(sql, **values)]
