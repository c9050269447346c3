"""Which sessions need a person now. One order for all lists of them: who has waited longest comes first."""

from __future__ import annotations

from lulu.sessions import Session
from lulu.store import rows
from lulu.store.readers import SESSION_ROWS, Readers

# Some wait without a request: they have since their row last changed.
_WAITING = (
    SESSION_ROWS + "WHERE status = 'waiting' ORDER BY coalesce("
    "(SELECT min(created_at) FROM approvals WHERE session_id = sessions.id AND status = 'pending'), "
    "replace(updated_at, ' ', 'T')), rowid"
)


class Attention(Readers):
    """Reads what somebody has to see to."""

    def waiting_sessions(self) -> list[Session]:
        """Those that wait for a person, in the order of their oldest request; texts as in ``list_sessions``."""
        return [rows.session(row) for row in self._query(_WAITING)]
