"""The argument of the writer's jobs: SQL through ``dataset``, topics for the bus, rows for the index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import dataset
from sqlalchemy.exc import DBAPIError

from lulu.store import rows
from lulu.store.sqlite import errors


@dataclass
class SqliteTransaction:
    """One transaction, as a job sees it."""

    _db: dataset.Database
    rung: list[str] = field(default_factory=list)
    #: Whether events are indexed; False after the index could not be repaired.
    indexing: bool = True
    #: Rows that are written to the search index before the commit.
    unindexed: list[dict[str, Any]] = field(default_factory=list)

    def query(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Run one statement with named ``:parameters``. Returns all rows; no cursor stays open."""
        result = self._db.executable.exec_driver_sql(sql, rows.bindable(values))
        return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def update(self, table: str, row: dict[str, Any]) -> None:
        """Set columns of the row with this ``id``."""
        # Not dataset's own method, which reads the whole schema first.
        sql = f"UPDATE {_name(table)} SET {_equal(row, ', ', skip='id')} WHERE id = :id"  # nosec B608
        self.query(sql, **row)

    def delete(self, table: str, **values: Any) -> None:
        """Delete the rows with these values; at least one value is required."""
        if not values:
            raise ValueError("a whole table is never emptied")
        sql = f"DELETE FROM {_name(table)} WHERE {_equal(values, ' AND ')}"  # nosec B608
        self.query(sql, **values)

    def index(self, event_id: int, text: str, kind: str) -> None:
        """Add an event to the search index before the commit, together with others.

        One by one would cost as much as the events themselves.
        """
        self.unindexed.append(rows.bindable({"id": event_id, "text": text, "kind": kind}))

    def write_index(self) -> None:
        """Write the rows that ``index`` has collected. Raises ``IndexDamaged``."""
        if not self.unindexed:
            return
        sql = "INSERT INTO search (rowid, text, kind) VALUES (:id, :text, :kind)"
        try:
            self._db.executable.exec_driver_sql(sql, self.unindexed)
        except DBAPIError as exc:
            if errors.is_of_the_index(exc):
                raise errors.IndexDamaged from exc
            raise
        self.unindexed.clear()

    def forget_index(self) -> None:
        """Drop what ``index`` was given."""
        self.unindexed.clear()

    def ring(self, *topics: str) -> None:
        """Notify the listeners of these topics after the commit."""
        self.rung.extend(topics)


def _name(name: str) -> str:
    """Return the name of a table or column. Raises ``ValueError`` if it is no plain identifier."""
    if not name.isidentifier():
        raise ValueError(f"not a name: {name!r}")
    return name


def _equal(values: Iterable[str], separator: str, *, skip: str = "") -> str:
    return separator.join(f"{_name(name)} = :{name}" for name in values if name != skip)
