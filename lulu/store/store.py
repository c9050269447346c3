"""The store: one SQLite file, one writer, many readers, and a bus that reports changes."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lulu.errors import LuluError
from lulu.store.bus import HEALTH, SESSIONS, Bus
from lulu.store.database import NoWriter, StoreHealth, Writer
from lulu.store.parts.access import Accesses
from lulu.store.parts.approvals import Approvals
from lulu.store.parts.commands import Commands
from lulu.store.parts.events import Events
from lulu.store.parts.folders import Folders
from lulu.store.parts.search import Search
from lulu.store.parts.sessions import Sessions
from lulu.store.sqlite import writer
from lulu.store.sqlite.file import OpenedFile, open_file, unlocked_file
from lulu.store.sqlite.reader import ReaderPool
from lulu.store.sqlite.writer import WriterThread
from lulu.store.write import search_index


class Store:
    """The parts of the database: sessions, events, approvals, commands, access, folders, search.

    Writes of a part return after their commit, or return a ``Future`` for it.
    """

    def __init__(self, opened: OpenedFile, *, bus: Bus | None = None) -> None:
        """Open for writing; with ``bus``, the bus of a follower, for reading only."""
        self._file = opened
        self.bus = bus or Bus()
        self._reader = reader = ReaderPool(opened.path, opened.note, lambda: self.search.mend())
        self._writer = writer = self._begin_to_write() if bus is None else NoWriter()
        self.sessions = Sessions(reader, writer)
        self.events = Events(reader, writer)
        self.approvals = Approvals(reader, writer)
        self.commands = Commands(reader, writer)
        self.access = Accesses(reader, writer)
        self.folders = Folders(reader, writer)
        self.search = Search(reader, writer, self.bus)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Lock, check and migrate the file, and start the writer. Raises a ``StoreError`` with advice."""
        with _private_files():
            opened = open_file(path)
        try:
            return cls(opened)
        except BaseException:
            opened.release()
            raise

    @classmethod
    def beside(cls, path: Path, bus: Bus) -> Store:
        """Open a file for reading that another process writes; ``bus`` follows that one's bus.

        Every write raises ``Forbidden``.
        """
        return cls(unlocked_file(path), bus=bus)

    def _begin_to_write(self) -> Writer:
        self._file.on_notice = lambda: self.bus.ring([HEALTH, SESSIONS])
        return WriterThread(self.path, self.bus, mend_index=search_index.rebuild, on_mended=lambda: self.search.fill())

    def close(self, *, patience: float = math.inf) -> None:
        """Commit the queued jobs and close the file.

        If it cannot be written, gives up after ``patience`` or ``CLOSE_SECONDS``, the shorter of both.
        """
        until = time.monotonic() + min(patience, writer.CLOSE_SECONDS)
        # Readers first: the last connection to close merges the log into the file, and readers cannot.
        self._reader.close(until - time.monotonic())
        self._writer.close(until - time.monotonic())
        self._file.release()

    @property
    def path(self) -> Path:
        """The database file."""
        return self._file.path

    @property
    def health(self) -> StoreHealth:
        """Whether commits succeed now."""
        return self._writer.health

    @property
    def notices(self) -> list[LuluError]:
        """Notices for the owner: a damaged file that was renamed, a backup that was made."""
        return list(self._file.notices)

    @property
    def waiting(self) -> int:
        """Number of writes that are not committed yet; the host slows agents down by it."""
        return self._writer.waiting


@contextmanager
def _private_files() -> Iterator[None]:
    """Make files that are created inside the block readable by their owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
