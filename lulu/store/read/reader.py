"""Every question that a page or the host asks. One short transaction each; no connection is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from lulu.errors import LuluError, SessionNotFound, StoreBusy
from lulu.model.commands import SendNow, StoredCommand
from lulu.model.events import EventId, StoredEvent, Text
from lulu.model.sessions import LIVE, Session
from lulu.model.validation import Attachment
from lulu.rules import Rule
from lulu.store import rows
from lulu.store.rows import Approval, LiveText, SentPrompt
from lulu.store.sqlite import errors
from lulu.store.sqlite.connection import folded, open_reader, start_afresh
from lulu.text.unicode import as_text, as_unicode

#: More characters are not looked for: SQLite refuses patterns of 50,000 bytes.
SEARCH_TEXT = 1000

#: Rows of one session's log; what follows begins with "AND".
EVENTS = "SELECT id, session_id, event_type, payload, created_at FROM conversation_events WHERE session_id = :session "
# Only texts are read, and none that is not for reading at a glance: a payload may be megabytes long.
_LATEST = (
    "SELECT id, session_id, event_type, created_at, "
    "CASE WHEN event_type = 'text' AND length(payload) <= 50000 THEN payload ELSE '{}' END AS payload "
    "FROM conversation_events WHERE session_id = :session ORDER BY id DESC LIMIT :limit"
)
_HELD = "(SELECT count(*) FROM commands WHERE session_id = sessions.id AND held_at IS NOT NULL) AS held_prompts "
#: For lists: they show how titles and prompts begin, and a prompt may be megabytes long.
SESSION_ROWS = (
    "SELECT id, substr(title, 1, 1000) AS title, substr(prompt, 1, 1000) AS prompt, status, model, "
    "session_id_claude, cost_usd, duration_ms, num_turns, created_at, updated_at, working_directory, "
    "permission_mode, agent, parent_session_id, agent_pid, agent_started_at, archived_at, pinned_at, title_source, "
    "max_cost_usd, max_turns, fork_conversation, fork_message, last_activity_at, waited_ms, " + _HELD + "FROM sessions "
)
#: Told by the model's own messages only; an older version's events tell nothing, so only the latest are looked at.
_CONTEXT = (
    "SELECT json_extract(payload, '$.context') AS tokens FROM (SELECT id, event_type, payload "
    "FROM conversation_events WHERE session_id = :session ORDER BY id DESC LIMIT 200) "
    "WHERE event_type IN ('text', 'thinking', 'tool_use') AND json_valid(payload) "
    "AND json_extract(payload, '$.context') IS NOT NULL AND json_extract(payload, '$.parent') IS NULL "
    "ORDER BY id DESC LIMIT 1"
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
# One for each kind of question: an index serves neither "or" nor "is null".
_APPROVALS_OF_SESSION = (
    "SELECT * FROM approvals WHERE session_id = :session AND (:status IS NULL OR +status = :status) "
    "ORDER BY created_at, rowid"
)
_APPROVALS_BY_STATUS = "SELECT * FROM approvals WHERE status = :status ORDER BY created_at, rowid"
# In the order in which they were asked: what rules decided in between is passed over.
_LAST_ANSWERS = (
    "SELECT * FROM approvals WHERE status != 'pending' AND auto_approved = 0 ORDER BY rowid DESC LIMIT :limit"
)
_APPROVALS = "SELECT * FROM approvals ORDER BY created_at, rowid"


@dataclass(frozen=True, kw_only=True)
class Show:
    """Which sessions a list shows; nothing means any."""

    status: str | None = None
    folder: str | None = None
    pinned: bool | None = None
    archived: bool | None = None


class Readers:
    """Reads what is committed. ``found_damage`` is called when a query finds that the file is damaged."""

    def __init__(self, path: Path, found_damage: Callable[[LuluError], None]) -> None:
        self._db = open_reader(path)
        self._database_path = path
        self._found_damage = found_damage
        self._reading = 0
        self._open = True
        self._changed = threading.Condition()

    def _query(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self._under_way():
            try:
                # ``with`` gives the connection back: dataset keeps one for each thread otherwise, and Streamlit makes
                # a thread a run.
                with self._db:
                    # As the driver takes it: SQLAlchemy's compiler would cost more than most of these queries.
                    result = self._db.executable.exec_driver_sql(sql, rows.bindable(values))
                    return [dict(row) for row in result.mappings()]
            except DBAPIError as exc:
                start_afresh(self._db)
                problem = errors.while_reading(self._database_path, exc)
                if errors.is_damage(exc):
                    self._found_damage(problem)
                if errors.is_index_damage(exc):
                    self._mend_index()
                raise problem from exc

    def _mend_index(self) -> None:
        """The search index is damaged: whoever can write begins it anew."""

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        with self._changed:
            if not self._open:
                raise StoreBusy("Lulu is shutting down.", safe="Nothing is lost.", next_step="Start it again.")
            self._reading += 1
        try:
            yield
        finally:
            with self._changed:
                self._reading -= 1
                self._changed.notify_all()

    def _close_readers(self, patience: float) -> None:
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: self._reading == 0, max(0.0, patience))
        self._db.close()

    # -- sessions ----------------------------------------------------------------------------------------------------

    def list_sessions(self, *, limit: int = 50, search: str = "", show: Show | None = None) -> list[Session]:
        """The last active first; with ``search``, those whose title or prompt contains it, in capital or small letters.

        Titles and prompts come as their first 1,000 characters.
        """
        wanted = show or Show()
        found = self._query(
            _LIST,
            limit=limit,
            search=folded(as_text(search[:SEARCH_TEXT])),
            status=wanted.status,
            folder=wanted.folder,
            pinned=wanted.pinned,
            archived=wanted.archived,
        )
        return [rows.session(row) for row in found]

    def forks_of(self, session_id: str) -> list[Session]:
        """Sessions that were forked from this one, the last active first; texts as in ``list_sessions``."""
        found = self._query(SESSION_ROWS + "WHERE parent_session_id = :id " + LATEST_FIRST, id=session_id)
        return [rows.session(row) for row in found]

    def live_sessions(self) -> list[Session]:
        """Those that start, run or wait, the last active first; texts as in ``list_sessions``."""
        found = self._query(
            SESSION_ROWS + "WHERE status IN (:starting, :running, :waiting) " + LATEST_FIRST,
            **{status.value: status.value for status in LIVE},
        )
        return [rows.session(row) for row in found]

    def failed_since(self, moment: datetime) -> list[Session]:
        """Those that failed at ``moment`` or later and were not touched since, the last first; texts as in the list."""
        found = self._query(
            SESSION_ROWS + "WHERE status = 'failed' AND replace(updated_at, ' ', 'T') >= :since " + LATEST_FIRST,
            since=moment.strftime("%Y-%m-%dT%H:%M:%S"),
        )
        return [rows.session(row) for row in found]

    def sessions_on_hold(self) -> list[Session]:
        """Those with prompts on hold, but for archived ones, newest first; texts as in ``list_sessions``."""
        found = self._query(
            SESSION_ROWS + "WHERE id IN (SELECT session_id FROM commands WHERE held_at IS NOT NULL) "
            "AND archived_at IS NULL " + LATEST_FIRST
        )
        return [rows.session(row) for row in found]

    def get_session(self, session_id: str) -> Session:
        """One session. Raises ``SessionNotFound``."""
        found = self._query("SELECT *, " + _HELD + "FROM sessions WHERE id = :id", id=session_id)
        if not found:
            raise SessionNotFound
        return rows.session(found[0])

    def recent_folders(self, limit: int = 8) -> list[str]:
        """Working directories, the latest used first."""
        found = self._query(
            "SELECT working_directory AS folder FROM sessions WHERE working_directory IS NOT NULL "
            "GROUP BY working_directory "
            "ORDER BY max(replace(coalesce(last_activity_at, created_at), ' ', 'T')) DESC LIMIT :limit",
            limit=limit,
        )
        return [as_unicode(str(row["folder"])) for row in found]

    # -- one session's log -------------------------------------------------------------------------------------------

    def get_session_events(
        self, session_id: str, *, after: int = 0, before: int | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """Events with ``after < id < before``, oldest first; with ``limit``, the last that many of them."""
        found = self._query(
            EVENTS + "AND id > :after AND id < :before ORDER BY id DESC LIMIT :limit",
            session=session_id,
            after=after,
            before=_LAST if before is None else before,
            limit=-1 if limit is None else limit,
        )
        return [rows.event(row) for row in reversed(found)]

    def latest_texts(self, session_id: str, limit: int) -> list[tuple[EventId, Text | None]]:
        """The session's last events, oldest first, each with its text; nothing where it is none, or in a thread."""
        latest = [rows.event(row) for row in reversed(self._query(_LATEST, session=session_id, limit=limit))]
        return [
            (stored.id, stored.event if isinstance(stored.event, Text) and not stored.event.parent else None)
            for stored in latest
        ]

    def events_around(self, session_id: str, event_id: int, *, before: int, after: int) -> list[StoredEvent]:
        """The event, and up to so many before and after it, oldest first; empty where the session has no such event."""
        later = self._query(
            EVENTS + "AND id >= :event ORDER BY id LIMIT :limit", session=session_id, event=event_id, limit=after + 1
        )
        if not later or later[0]["id"] != event_id:
            return []
        earlier = self.get_session_events(session_id, before=event_id, limit=before)
        return [*earlier, *(rows.event(row) for row in later)]

    def last_event(self, session_id: str, event_type: str, *, subtype: str | None = None) -> StoredEvent | None:
        """The latest event of one type, and of one subtype where that is given."""
        found = self._query(
            EVENTS + "AND event_type = :type AND (:subtype IS NULL "
            "OR CASE WHEN json_valid(payload) THEN json_extract(payload, '$.subtype') END = :subtype) "
            "ORDER BY id DESC LIMIT 1",
            session=session_id,
            type=event_type,
            subtype=subtype,
        )
        return rows.event(found[0]) if found else None

    def count_events(self, session_id: str, event_type: str | None = None) -> int:
        """How many events the session has, of one type or in all."""
        found = self._query(
            "SELECT count(*) AS n FROM conversation_events "
            "WHERE session_id = :id AND (:type IS NULL OR event_type = :type)",
            id=session_id,
            type=event_type,
        )
        return int(found[0]["n"])

    def turn_marks(self, session_id: str, *, limit: int) -> list[StoredEvent]:
        """Prompts and results, oldest first, up to ``limit`` of the latest: where turns begin and end."""
        found = self._query(
            EVENTS + "AND event_type IN ('user', 'result') ORDER BY id DESC LIMIT :limit",
            session=session_id,
            limit=limit,
        )
        return [rows.event(row) for row in reversed(found)]

    def count_prompts(self, session_id: str) -> int:
        """How many turns people have begun: prompts of theirs, and not those of sub-agents."""
        found = self._query(
            "SELECT count(*) AS n FROM conversation_events WHERE session_id = :id AND event_type = 'user' "
            "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.parent') END IS NULL",
            id=session_id,
        )
        return int(found[0]["n"])

    def context_tokens(self, session_id: str) -> int | None:
        """The tokens that the session's model had read last; nothing where its latest events do not tell."""
        found = self._query(_CONTEXT, session=session_id)
        told = found[0]["tokens"] if found else None
        return told if isinstance(told, int) else None

    def live_text(self, session_id: str) -> LiveText | None:
        """The block that is being written now, or nothing."""
        found = self._query("SELECT * FROM live_text WHERE session_id = :id", id=session_id)
        return rows.live_text(found[0]) if found else None

    # -- approvals and commands --------------------------------------------------------------------------------------

    def approvals(self, session_id: str | None = None, *, status: str | None = "pending") -> list[Approval]:
        """Oldest first; of one session or all, with one status or any."""
        if session_id is not None:
            found = self._query(_APPROVALS_OF_SESSION, session=session_id, status=status)
        elif status is not None:
            found = self._query(_APPROVALS_BY_STATUS, status=status)
        else:
            found = self._query(_APPROVALS)
        return [rows.approval(row) for row in found]

    def last_answers(self, limit: int) -> list[Approval]:
        """The last requests that were answered, expired or withdrawn without a rule; the last answer first."""
        found = [rows.approval(row) for row in self._query(_LAST_ANSWERS, limit=limit)]
        return sorted(found, key=lambda approval: approval.decided_at or approval.created_at, reverse=True)

    def get_approval(self, approval_id: str) -> Approval | None:
        """One request, or nothing."""
        found = self._query("SELECT * FROM approvals WHERE id = :id", id=approval_id)
        return rows.approval(found[0]) if found else None

    def mode_with_answer(self, session_id: str, approval_id: str) -> str | None:
        """The permission mode that was chosen with this answer."""
        found = self._query(
            "SELECT json_extract(payload, '$.mode') AS mode FROM commands WHERE session_id = :session "
            "AND kind = 'set_mode' "
            "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.with_answer') END = :id",
            session=session_id,
            id=approval_id,
        )
        return str(found[0]["mode"]) if found else None

    def may_bypass(self, session_id: str) -> bool:
        """Whether the session was launched to bypass permissions, so that it can be changed to do so again."""
        return bool(self._query(rows.MAY_BYPASS, id=session_id))

    def pending_commands(self) -> list[StoredCommand]:
        """Commands that the host has not taken and may take, oldest first."""
        found = self._query("SELECT * FROM commands WHERE status = 'pending' AND held_at IS NULL ORDER BY id")
        return [stored for row in found if (stored := rows.command(row))]

    def queued_prompts(self, session_id: str) -> list[StoredCommand]:
        """Prompts that nobody has taken, in the order in which they are sent; those on hold last."""
        found = self._query(
            "SELECT * FROM commands WHERE session_id = :id AND status = 'pending' "
            "AND kind IN ('start', 'prompt', 'send_now') ORDER BY id",
            id=session_id,
        )
        queued = [stored for row in found if (stored := rows.command(row))]
        return sorted(queued, key=lambda stored: (stored.is_held, not isinstance(stored.command, SendNow)))

    def last_prompts(self, limit: int) -> list[SentPrompt]:
        """The last prompts that people sent or kept as drafts, newest first, whatever has become of them."""
        found = self._query(
            "SELECT id, kind, session_id, payload FROM commands WHERE kind IN ('start', 'prompt', 'save_draft') "
            "ORDER BY id DESC LIMIT :limit",
            limit=limit,
        )
        return [rows.sent_prompt(row) for row in found]

    def rules(self) -> list[Rule]:
        """Every auto-approve rule, oldest first."""
        return [rows.rule(row) for row in self._query("SELECT * FROM auto_approve_rules ORDER BY id")]

    def attachments(self, ids: list[int]) -> list[Attachment]:
        """Attachments with their bytes, in the order of the ids."""
        found = self._query(
            "SELECT * FROM attachments WHERE id IN (SELECT value FROM json_each(:ids))", ids=rows.as_json(ids)
        )
        by_id = {row["id"]: rows.attachment(row) for row in found}
        return [by_id[one] for one in ids if one in by_id]

    def files_of(self, draft_id: str) -> dict[int, Attachment]:
        """The files that a draft keeps, by their ids."""
        found = self._query("SELECT * FROM attachments WHERE session_id = :id ORDER BY id", id=draft_id)
        return {row["id"]: rows.attachment(row) for row in found}


_LAST = 2**63 - 1
