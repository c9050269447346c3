"""Reads the calls of tools out of a session's log: those that keep its list of things to do, those named later on."""

from __future__ import annotations

from collections.abc import Collection

from lulu.model.events import StoredEvent
from lulu.store import rows
from lulu.store.read.reader import EVENTS, Readers

#: How far back an agent's list of things to do is looked for (events).
CHECKLIST_EVENTS = 1000
_CHECKLIST_FROM = (
    "SELECT min(id) AS id FROM (SELECT id FROM conversation_events WHERE session_id = :session "
    "ORDER BY id DESC LIMIT :most)"
)
# A payload may be megabytes long; the name of a tool and the number of a task stand at its beginning.
_CHECKLIST_CALLS = (
    EVENTS + "AND id >= :first AND event_type = 'tool_use' "
    'AND (instr(substr(payload, 1, 400), \'"name":"TodoWrite"\') OR instr(substr(payload, 1, 400), \'"name":"Task\')) '
    "ORDER BY id"
)
_NUMBERED_TASKS = (
    EVENTS + "AND id >= :first AND event_type = 'tool_result' AND instr(substr(payload, 1, 4000), '\"task\":{') "
    "ORDER BY id"
)
#: How far back the call of an answer is looked for (events): 300 calls that were all asked about are 1,200.
CALL_EVENTS = 2000
# Newest first: it ends where it has found so many.
_CALLS_BEFORE = (
    EVENTS + "AND id < :before AND id >= (SELECT coalesce(min(id), 0) FROM (SELECT id FROM conversation_events "
    "WHERE session_id = :session AND id < :first ORDER BY id DESC LIMIT :most)) "
    "AND event_type IN ('tool_use', 'permission') "
    "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.id') END IN (SELECT value FROM json_each(:names)) "
    "ORDER BY id DESC LIMIT :limit"
)


class Calls(Readers):
    """Reads calls of tools."""

    def checklist_events(self, session_id: str) -> list[StoredEvent]:
        """The calls with which the agent keeps its list of things to do, oldest first, and what numbers its tasks.

        Of the last ``CHECKLIST_EVENTS`` events; some of another kind may be among them.
        """
        first = self._query(_CHECKLIST_FROM, session=session_id, most=CHECKLIST_EVENTS)[0]["id"] or 0
        calls = [rows.event(row) for row in self._query(_CHECKLIST_CALLS, session=session_id, first=first)]
        if not calls:
            return []
        numbered = self._query(_NUMBERED_TASKS, session=session_id, first=calls[0].id)
        return sorted([*calls, *(rows.event(row) for row in numbered)], key=lambda stored: stored.id)

    def calls_before(self, session_id: str, event_id: int, names: Collection[str]) -> list[StoredEvent]:
        """The last call or request before an event with each of these ids, oldest first; others of them may be there.

        Of the last ``CALL_EVENTS`` events before it.
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
