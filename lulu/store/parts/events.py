"""Events: one session's log, its live text, and the changes of an agent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Future

from lulu.model.events import Event, EventId, StoredEvent, Text
from lulu.store import rows
from lulu.store.database import Reader, Writer
from lulu.store.rows import LiveText
from lulu.store.write import changes
from lulu.store.write.changes import Change, Recorded

#: Selects events of one session; further conditions begin with "AND".
EVENTS = "SELECT id, session_id, event_type, payload, created_at FROM conversation_events WHERE session_id = :session "
# Only payloads of texts, and only short ones: a payload may have megabytes.
_LATEST = (
    "SELECT id, session_id, event_type, created_at, "
    "CASE WHEN event_type = 'text' AND length(payload) <= 50000 THEN payload ELSE '{}' END AS payload "
    "FROM conversation_events WHERE session_id = :session ORDER BY id DESC LIMIT :limit"
)
#: Only the model's own messages have ``context``. Events of older versions have none, so only the last are read.
_CONTEXT = (
    "SELECT json_extract(payload, '$.context') AS tokens FROM (SELECT id, event_type, payload "
    "FROM conversation_events WHERE session_id = :session ORDER BY id DESC LIMIT 200) "
    "WHERE event_type IN ('text', 'thinking', 'tool_use') AND json_valid(payload) "
    "AND json_extract(payload, '$.context') IS NOT NULL AND json_extract(payload, '$.parent') IS NULL "
    "ORDER BY id DESC LIMIT 1"
)
#: Events at the end of the log that are searched for the checklist.
CHECKLIST_EVENTS = 1000
_CHECKLIST_FROM = (
    "SELECT min(id) AS id FROM (SELECT id FROM conversation_events WHERE session_id = :session "
    "ORDER BY id DESC LIMIT :most)"
)
# A payload may have megabytes. The tool's name and the task's number are at its beginning.
_CHECKLIST_CALLS = (
    EVENTS + "AND id >= :first AND event_type = 'tool_use' "
    'AND (instr(substr(payload, 1, 400), \'"name":"TodoWrite"\') OR instr(substr(payload, 1, 400), \'"name":"Task\')) '
    "ORDER BY id"
)
_NUMBERED_TASKS = (
    EVENTS + "AND id >= :first AND event_type = 'tool_result' AND instr(substr(payload, 1, 4000), '\"task\":{') "
    "ORDER BY id"
)
#: Events that are searched for the call of a result: 300 calls with requests are 1,200 events.
CALL_EVENTS = 2000
# Newest first, so that the query ends after so many matches.
_CALLS_BEFORE = (
    EVENTS + "AND id < :before AND id >= (SELECT coalesce(min(id), 0) FROM (SELECT id FROM conversation_events "
    "WHERE session_id = :session AND id < :first ORDER BY id DESC LIMIT :most)) "
    "AND event_type IN ('tool_use', 'permission') "
    "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.id') END IN (SELECT value FROM json_each(:names)) "
    "ORDER BY id DESC LIMIT :limit"
)
_LAST = 2**63 - 1


class Events:
    """Reads and appends events."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._query = reader.query
        self._submit = writer.submit
        self._commit = writer.commit

    def of_session(
        self, session_id: str, *, after: int = 0, before: int | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """Return events with ``after < id < before``, oldest first; with ``limit``, the last of them."""
        found = self._query(
            EVENTS + "AND id > :after AND id < :before ORDER BY id DESC LIMIT :limit",
            session=session_id,
            after=after,
            before=_LAST if before is None else before,
            limit=-1 if limit is None else limit,
        )
        return [rows.event(row) for row in reversed(found)]

    def latest_texts(self, session_id: str, limit: int) -> list[tuple[EventId, Text | None]]:
        """Return the last event ids, oldest first, each with its text.

        None for an event that is no text, that is long, or that belongs to a sub-agent.
        """
        latest = [rows.event(row) for row in reversed(self._query(_LATEST, session=session_id, limit=limit))]
        return [
            (stored.id, stored.event if isinstance(stored.event, Text) and not stored.event.parent else None)
            for stored in latest
        ]

    def around(self, session_id: str, event_id: int, *, before: int, after: int) -> list[StoredEvent]:
        """Return an event and the events around it, oldest first; empty if the session has no such event."""
        later = self._query(
            EVENTS + "AND id >= :event ORDER BY id LIMIT :limit", session=session_id, event=event_id, limit=after + 1
        )
        if not later or later[0]["id"] != event_id:
            return []
        earlier = self.of_session(session_id, before=event_id, limit=before)
        return [*earlier, *(rows.event(row) for row in later)]

    def last(self, session_id: str, event_type: str, *, subtype: str | None = None) -> StoredEvent | None:
        """Return the last event of one type, and of one subtype if given; None if there is none."""
        found = self._query(
            EVENTS + "AND event_type = :type AND (:subtype IS NULL "
            "OR CASE WHEN json_valid(payload) THEN json_extract(payload, '$.subtype') END = :subtype) "
            "ORDER BY id DESC LIMIT 1",
            session=session_id,
            type=event_type,
            subtype=subtype,
        )
        return rows.event(found[0]) if found else None

    def count(self, session_id: str, event_type: str | None = None) -> int:
        """Count the session's events, all or of one type."""
        found = self._query(
            "SELECT count(*) AS n FROM conversation_events "
            "WHERE session_id = :id AND (:type IS NULL OR event_type = :type)",
            id=session_id,
            type=event_type,
        )
        return int(found[0]["n"])

    def turn_marks(self, session_id: str, *, limit: int) -> list[StoredEvent]:
        """Return the last prompts and results, oldest first: the beginnings and ends of turns."""
        found = self._query(
            EVENTS + "AND event_type IN ('user', 'result') ORDER BY id DESC LIMIT :limit",
            session=session_id,
            limit=limit,
        )
        return [rows.event(row) for row in reversed(found)]

    def count_prompts(self, session_id: str) -> int:
        """Count the session's turns: prompts of people, without those of sub-agents."""
        found = self._query(
            "SELECT count(*) AS n FROM conversation_events WHERE session_id = :id AND event_type = 'user' "
            "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.parent') END IS NULL",
            id=session_id,
        )
        return int(found[0]["n"])

    def context_tokens(self, session_id: str) -> int | None:
        """Return the tokens that the model had read last; None if the last events do not have them."""
        found = self._query(_CONTEXT, session=session_id)
        told = found[0]["tokens"] if found else None
        return told if isinstance(told, int) else None

    def live_text(self, session_id: str) -> LiveText | None:
        """Return the block that the agent is writing; None if there is none."""
        found = self._query("SELECT * FROM live_text WHERE session_id = :id", id=session_id)
        return rows.live_text(found[0]) if found else None

    def of_checklist(self, session_id: str) -> list[StoredEvent]:
        """Return the calls that write the checklist and the results that number its tasks, oldest first.

        Only the last ``CHECKLIST_EVENTS`` events are searched. Some events of other kinds may be included.
        """
        first = self._query(_CHECKLIST_FROM, session=session_id, most=CHECKLIST_EVENTS)[0]["id"] or 0
        calls = [rows.event(row) for row in self._query(_CHECKLIST_CALLS, session=session_id, first=first)]
        if not calls:
            return []
        numbered = self._query(_NUMBERED_TASKS, session=session_id, first=calls[0].id)
        return sorted([*calls, *(rows.event(row) for row in numbered)], key=lambda stored: stored.id)

    def calls_before(self, session_id: str, event_id: int, names: Collection[str]) -> list[StoredEvent]:
        """Return the last call or request before an event with each of these ids, oldest first.

        Only the last ``CALL_EVENTS`` events before it are searched. Earlier calls with the same ids may be included.
        """
        found: list[StoredEvent] = []
        missing = set(names)
        while missing:
            part = self._query(
                _CALLS_BEFORE,
                session=session_id,
                first=event_id,
                before=found[-1].id if found else event_id,
                most=CALL_EVENTS,
                names=rows.as_json(sorted(missing)),
                limit=len(missing),
            )
            is_last = len(part) < len(missing)
            for stored in map(rows.event, part):
                found.append(stored)
                missing.discard(getattr(stored.event, "id", ""))
            if is_last:
                break
        return found[::-1]

    def record(self, change: Change) -> Future[Recorded]:
        """Write the change of one message of an agent."""
        return self._submit(lambda tx: changes.record(tx, change))

    def insert(self, session_id: str, event: Event) -> EventId | None:
        """Append one event and return its id; None if it is already stored."""
        return self._commit(lambda tx: changes.insert_event(tx, session_id, event))

    def append(self, session_id: str, events: Sequence[Event]) -> list[EventId | None]:
        """Append the events of one message, and return their ids."""
        return self._commit(lambda tx: changes.record(tx, Change(session_id=session_id, events=events))).event_ids
