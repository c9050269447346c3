"""The store: one SQLite file, one writer, many readers, and a bus that tells what changed."""

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
    """One database, in parts. A write returns after its commit, or returns a ``Future`` of it."""

    def __init__(self, opened: OpenedFile, *, bus: Bus | None = None) -> None:
        """With a bus, which then tells what another process writes, for reading only."""
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
        """Lock, check, migrate and start writing. Raises a ``StoreError`` that says what to do."""
        with _private_files():
            opened = open_file(path)
        try:
            return cls(opened)
        except BaseException:
            opened.release()
            raise

    @classmethod
    def beside(cls, path: Path, bus: Bus) -> Store:
        """For reading a file that another process has; ``bus`` gives the numbers of that one's. Every write raises
        ``Forbidden``."""
        return cls(unlocked_file(path), bus=bus)

    def _begin_to_write(self) -> Writer:
        self._file.on_notice = lambda: self.bus.ring([HEALTH, SESSIONS])
        return WriterThread(self.path, self.bus, mend_index=search_index.rebuild, on_mended=lambda: self.search.fill())

    def close(self, *, patience: float = math.inf) -> None:
        """Commit what is queued and let go of the file; one that cannot be written is given up within ``patience``
        seconds, and within ``CLOSE_SECONDS``."""
        until = time.monotonic() + min(patience, writer.CLOSE_SECONDS)
        # Readers first: the last connection to close folds the log into the file, and readers may not.
        self._reader.close(until - time.monotonic())
        self._writer.close(until - time.monotonic())
        self._file.release()

    @property
    def path(self) -> Path:
        """The database file."""
        return self._file.path

    @property
    def health(self) -> StoreHealth:
        """Whether commits go through now."""
        return self._writer.health

    @property
    def notices(self) -> list[LuluError]:
        """What the owner should know about the file: a damaged one kept aside, a backup made."""
        return list(self._file.notices)

    @property
    def waiting(self) -> int:
        """Writes that are not committed yet: what backpressure looks at."""
        return self._writer.waiting


@contextmanager
def _private_files() -> Iterator[None]:
    """Files made inside are readable by their owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
