"""Reads SQLite, each query in a short transaction; no connection stays open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from lulu.errors import LuluError, StoreBusy
from lulu.store import rows
from lulu.store.sqlite import errors
from lulu.store.sqlite.connection import open_reader, start_afresh


class ReaderPool:
    """Reads committed rows. Calls ``found_damage`` if a query finds the file damaged.

    Calls ``found_index_damage`` if it finds the search index damaged.
    """

    def __init__(
        self, path: Path, found_damage: Callable[[LuluError], None], found_index_damage: Callable[[], None]
    ) -> None:
        self._db = open_reader(path)
        self._database_path = path
        self._found_damage = found_damage
        self._found_index_damage = found_index_damage
        self._reading = 0
        self._open = True
        self._changed = threading.Condition()

    def query(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Run one statement with named ``:parameters`` in its own transaction. Raises a ``StoreError``."""
        with self._under_way():
            try:
                # ``with`` returns the connection to the pool. Else dataset keeps one per thread, and Streamlit starts a
                # thread for each run.
                with self._db:
                    # In the driver's own form: SQLAlchemy's compiler would cost more than most of these queries.
                    result = self._db.executable.exec_driver_sql(sql, rows.bindable(values))
                    return [dict(row) for row in result.mappings()]
            except DBAPIError as exc:
                start_afresh(self._db)
                problem = errors.while_reading(self._database_path, exc)
                if errors.is_damage(exc):
                    self._found_damage(problem)
                if errors.is_index_damage(exc):
                    self._found_index_damage()
                raise problem from exc

    def close(self, patience: float) -> None:
        """Close after the running queries, or after ``patience`` seconds. Refuses later queries."""
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: self._reading == 0, max(0.0, patience))
        self._db.close()

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
