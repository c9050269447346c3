"""Full-text search over every event: a query becomes one MATCH, hits are sorted newest first."""

from __future__ import annotations

import contextlib
import re
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lulu.errors import Forbidden, InputError, LuluError, StoreBusy
from lulu.model.events import EventId, StoredEvent
from lulu.model.timestamps import time_text
from lulu.store import rows
from lulu.store.bus import INDEX, Bus
from lulu.store.database import Reader, Writer
from lulu.store.sqlite import errors
from lulu.store.sqlite.connection import folded
from lulu.store.write import search_index
from lulu.text.unicode import as_text
from lulu.transcript.search_text import searchable_text

#: A trigram index cannot find shorter words. Those are searched in the newest events only.
MIN_WORD = 3
#: The newest events that a search for short words reads.
SCANNED = 20_000
MAX_QUERY = 500
#: Characters of context before and after a hit.
AROUND = 80

_WORD = re.compile(r'"([^"]*)"|(\S+)')


@dataclass(frozen=True, kw_only=True)
class Query:
    """A search with its filters; None means any."""

    #: Words that must all occur, in any order; quotes keep words together. Case does not matter.
    text: str
    event_type: str | None = None
    tool: str | None = None
    folder: str | None = None
    status: str | None = None
    model: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One event that matches."""

    stored: StoredEvent
    #: Name, status and folder of its session.
    session_name: str
    session_status: str
    folder: str | None
    #: The text before the first match, the match as it is in the event, and the text after it.
    before: str
    match: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """One page of hits, newest first."""

    hits: list[Hit] = field(default_factory=list)
    #: The ``before`` of the next page; None after the last page.
    next_before: EventId | None = None
    #: Whether only the newest ``SCANNED`` events were read, because a word was too short for the index.
    scanned_only: bool = False
    #: Number of older events that are not in the index yet.
    not_indexed: int = 0
    #: Why they cannot be indexed now; None if they can.
    index_problem: LuluError | None = None


def words_of(text: str) -> list[str]:
    """Split a query into words; text in quotes is one. Raises ``InputError`` if there is none."""
    if len(text) > MAX_QUERY:
        raise InputError(f"A search is at most {MAX_QUERY} characters long.", next_step="Look for a shorter text.")
    if text.count('"') % 2:
        raise InputError("A quotation mark is missing.", next_step='Write "two words" to find them side by side.')
    words = [quoted or word for quoted, word in _WORD.findall(text)]
    if not (words := [as_text(word) for word in words if word.strip()]):
        raise InputError("Type something to search for.", next_step="A word, a path or a piece of code will do.")
    return words


_COLUMNS = (
    "SELECT e.id, e.session_id, e.event_type, e.payload, e.created_at, s.title, s.prompt, s.status, "
    "s.working_directory FROM "
)
_FILTERS = (
    "AND (:folder IS NULL OR s.working_directory = :folder) AND (:status IS NULL OR s.status = :status) "
    "AND (:model IS NULL OR s.model = :model) "
    "AND (:since IS NULL OR replace(e.created_at, ' ', 'T') >= :since) "
    "AND (:until IS NULL OR replace(e.created_at, ' ', 'T') < :until) "
)
# ``CROSS JOIN`` forces SQLite's order: the index, newest first, then the matching rows.
_BY_INDEX = (
    _COLUMNS + "search CROSS JOIN conversation_events e ON e.id = search.rowid "
    "CROSS JOIN sessions s ON s.id = e.session_id WHERE search MATCH :match AND search.rowid < :before "
    + _FILTERS
    + "ORDER BY search.rowid DESC LIMIT :limit"
)
_BY_SCAN = (
    _COLUMNS + "(SELECT rowid AS id, text, kind FROM search WHERE rowid < :before ORDER BY rowid DESC LIMIT :scanned) "
    "found CROSS JOIN conversation_events e ON e.id = found.id CROSS JOIN sessions s ON s.id = e.session_id "
    "WHERE NOT EXISTS (SELECT 1 FROM json_each(:words) WHERE instr(fold(CAST(found.text AS BLOB)), value) = 0) "
    "AND instr(found.kind, :kind) > 0 " + _FILTERS + "ORDER BY found.id DESC LIMIT :limit"
)
_LAST = 2**63 - 1


class Search:
    """Finds events by their text, and fills and repairs the index."""

    #: Why the last try to index older events failed; None if it did not.
    index_problem: LuluError | None = None

    def __init__(self, reader: Reader, writer: Writer, bus: Bus) -> None:
        self._query = reader.query
        self._submit = writer.submit
        self._ring = bus.ring

    def find(self, query: Query, *, before: int | None = None, limit: int = 50) -> Found:
        """Return the events that contain every word. Raises ``InputError`` for a query without words."""
        words = words_of(query.text)
        by_scan = any(len(word) < MIN_WORD for word in words)
        kind = "".join(f"<{part}>" for part in (query.event_type, query.tool) if part)
        values = {
            "before": _LAST if before is None else before,
            "limit": limit + 1,
            "folder": query.folder,
            "status": query.status,
            "model": query.model,
            "since": query.since and time_text(query.since),
            "until": query.until and time_text(query.until),
        }
        if by_scan:
            found = self._query(
                _BY_SCAN, words=rows.as_json([folded(word) for word in words]), kind=kind, scanned=SCANNED, **values
            )
        else:
            found = self._query(_BY_INDEX, match=_match(words, kind), **values)
        hits = [_hit(row, words) for row in found[:limit]]
        return Found(
            hits=hits,
            next_before=hits[-1].stored.id if len(found) > limit else None,
            scanned_only=by_scan,
            not_indexed=self.not_indexed(),
            index_problem=self.index_problem,
        )

    def not_indexed(self) -> int:
        """Count the older events that are not in the index yet."""
        found = self._query(
            "SELECT count(*) AS n FROM conversation_events WHERE id < (SELECT below FROM search_progress)"
        )
        return int(found[0]["n"])

    def index_older(self) -> Future[bool]:
        """Index one step of older events. Returns whether there may be more."""
        step = self._submit(search_index.index_older)
        step.add_done_callback(self._note_step)
        return step

    def mend(self) -> None:
        """Replace a damaged index by an empty one, and fill it."""
        with contextlib.suppress(StoreBusy, Forbidden):
            self._submit(search_index.rebuild).add_done_callback(self.fill)

    def fill(self, step: Future[Any] | None = None) -> None:
        """Index older events step by step, each behind waiting writes. After an error the host goes on."""
        if step is not None and step.exception() is not None:
            self._ring([INDEX])
        elif step is None or step.result() is not False:
            with contextlib.suppress(StoreBusy):
                self.index_older().add_done_callback(self.fill)

    def _note_step(self, step: Future[bool]) -> None:
        problem = step.exception()
        self.index_problem = None if problem is None else errors.while_indexing(problem)


def _match(words: list[str], kind: str) -> str:
    """Return FTS5's query. Every word is a quoted string, so it cannot contain operators."""
    parts = ["text : " + _string(word) for word in words]
    if kind:
        parts.append("kind : " + _string(kind))
    return " AND ".join(parts)


def _string(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _hit(row: dict[str, object], words: list[str]) -> Hit:
    stored = rows.event(row)
    text = searchable_text(stored.event)
    found = re.search("|".join(re.escape(word) for word in words), text, re.IGNORECASE)
    start, end = found.span() if found else (0, 0)
    title = str(row["title"] or "").strip()
    return Hit(
        stored=stored,
        session_name=title or " ".join(str(row["prompt"])[:200].split())[:50],
        session_status=str(row["status"]),
        folder=None if row["working_directory"] is None else str(row["working_directory"]),
        before=("…" if start > AROUND else "") + text[max(0, start - AROUND) : start],
        match=text[start:end],
        after=text[end : end + AROUND] + ("…" if end + AROUND < len(text) else ""),
    )
