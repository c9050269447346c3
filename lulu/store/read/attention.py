"""Which sessions need a person now. One order for all lists of them: who has waited longest comes first."""

from __future__ import annotations

from datetime import datetime

from lulu.model.sessions import Session
from lulu.store import rows
from lulu.store.read.reader import LATEST_FIRST, SESSION_ROWS, Readers

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


class Attention(Readers):
    """Reads what somebody has to see to."""

    def waiting_sessions(self) -> list[Session]:
        """Those that wait for a person, in the order of their oldest request; texts as in ``list_sessions``."""
        return [rows.session(row) for row in self._query(_WAITING)]

    def cut_off_sessions(self, since: datetime) -> list[Session]:
        """Those that Lulu's own end, planned or not, has cut off at ``since`` or later, and that have not gone on; the
        last active first, texts as in ``list_sessions``."""
        found = self._query(_CUT_OFF, since=since.strftime("%Y-%m-%dT%H:%M:%S"))
        return [rows.session(row) for row in found]
