"""What a job of the writer sees: SQL through ``dataset``, and what is done at the commit and after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import dataset
from sqlalchemy.exc import DBAPIError

from lulu.store import rows
from lulu.store.sqlite import errors


@dataclass
class Transaction:
    """What a job sees: SQL through ``dataset``, and the topics to ring after the commit."""

    _db: dataset.Database
    rung: list[str] = field(default_factory=list)
    #: Whether the search index is kept; not after it was damaged beyond mending.
    indexing: bool = True
    #: Rows that the search index gets before the commit.
    unindexed: list[dict[str, Any]] = field(default_factory=list)

    def query(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Run one statement with named ``:parameters``; every row at once (no cursor outlives this call)."""
        result = self._db.executable.exec_driver_sql(sql, rows.bindable(values))
        return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def update(self, table: str, row: dict[str, Any]) -> None:
        """Set columns of the row with this ``id``."""
        # Not dataset's own: that reads the whole schema first.
        sql = f"UPDATE {_name(table)} SET {_equal(row, ', ', skip='id')} WHERE id = :id"  # nosec B608
        self.query(sql, **row)

    def delete(self, table: str, **values: Any) -> None:
        """Remove the rows with these values; at least one is named."""
        if not values:
            raise ValueError("a whole table is never emptied")
        sql = f"DELETE FROM {_name(table)} WHERE {_equal(values, ' AND ')}"  # nosec B608
        self.query(sql, **values)

    def index(self, event_id: int, text: str, kind: str) -> None:
        """Put an event into the search index before the commit, with others: one by one costs as much as the events."""
        self.unindexed.append(rows.bindable({"id": event_id, "text": text, "kind": kind}))

    def write_index(self) -> None:
        """Write what ``index`` was given. Raises ``IndexDamaged``."""
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

    def ring(self, *topics: str) -> None:
        """Ring these after the commit."""
        self.rung.extend(topics)


def _name(name: str) -> str:
    """A table's or column's name: our own, and nothing but a name. Raises ``ValueError``."""
    if not name.isidentifier():
        raise ValueError(f"not a name: {name!r}")
    return name


def _equal(values: Iterable[str], separator: str, *, skip: str = "") -> str:
    return separator.join(f"{_name(name)} = :{name}" for name in values if name != skip)
