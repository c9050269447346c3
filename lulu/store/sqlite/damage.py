"""Finds damage of the database file and renames damaged files. Their bytes are never changed."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from lulu.errors import DatabaseCorrupt
from lulu.store.sqlite import errors
from lulu.store.sqlite.connection import bare_engine

#: SQLite's files beside a database: write-ahead log, its index, rollback journal.
SIDE_FILES = ("-wal", "-shm", "-journal")
#: Those of them that have content.
_LOGS = ("-wal", "-journal")
#: Bytes of a database file's header.
_FILE_HEADER = 100
#: Bytes and magic numbers of a log's header: https://www.sqlite.org/fileformat2.html#wal_file_format
_LOG_HEADER = 32
_LOG_MAGIC = (0x377F0682, 0x377F0683)


def beside(path: Path, suffix: str) -> Path:
    """Return the path with a suffix added to its name."""
    return path.with_name(path.name + suffix)


def is_empty(path: Path) -> bool:
    """Whether the file is missing or has no bytes."""
    return not path.exists() or path.stat().st_size == 0


def damage_of(path: Path) -> str | None:
    """Return the damage of a file; None if there is none or another error prevents the check."""
    if path.stat().st_size < _FILE_HEADER:
        # SQLite accepts a file of one byte as an empty database.
        return "file is too short"
    try:
        with bare_engine(path, mode="ro").connect() as connection:
            answer = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    except DatabaseError as exc:
        return str(exc.orig) if errors.is_damage(exc) else None
    return None if answer == "ok" else answer


def lost_its_file(path: Path) -> bool:
    """Whether there is a log beside a missing or empty database.

    SQLite would delete the log, or read it into the next database of that name.
    """
    return is_empty(path) and any(not is_empty(beside(path, suffix)) for suffix in _LOGS)


def has_broken_log(path: Path) -> bool:
    """Whether the write-ahead log has no valid header. SQLite would treat it as empty and overwrite it."""
    log = beside(path, "-wal")
    if is_empty(log):
        return False
    with log.open("rb") as file:
        header = file.read(_LOG_HEADER)
    if len(header) < _LOG_HEADER:
        return True
    magic, *_, first, second = struct.unpack(">8I", header)
    if magic not in _LOG_MAGIC:
        return True
    order = ">" if magic & 1 else "<"
    return (first, second) != _checksum(struct.unpack(f"{order}6I", header[:24]))


def set_aside(path: Path, suffixes: tuple[str, ...] = ("", *SIDE_FILES)) -> Path:
    """Rename the database and its side files, or the files with these suffixes. Returns the new name."""
    kept = stamped(path, "corrupt")
    for suffix in suffixes:
        file = beside(path, suffix)
        if file.exists():
            file.rename(beside(kept, suffix))
    return kept


def stamped(path: Path, what: str) -> Path:
    """Return a name beside ``path`` that is not in use: ``lulu.db.<what>-<time>``."""
    name = f".{what}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    place = beside(path, name)
    count = 1
    while any(beside(place, suffix).exists() for suffix in ("", *SIDE_FILES)):
        count += 1
        place = beside(path, f"{name}-{count}")
    return place


def replaced_notice(problem: str, kept: Path) -> DatabaseCorrupt:
    """Return the notice for a damaged database and the new one in its place."""
    return DatabaseCorrupt(
        f"The database was damaged ({problem}), so Lulu began a new one.",
        safe=f"The damaged file is kept, unchanged, as {kept}.",
        next_step="Earlier sessions may be read from it with `sqlite3 FILE .recover`.",
    )


def broken_log_notice(path: Path, kept: Path) -> DatabaseCorrupt:
    """Return the notice for a damaged log beside a sound database."""
    return DatabaseCorrupt(
        f"The log of {path} was damaged: the last changes before Lulu stopped may be missing.",
        safe=f"The database itself is in use; the damaged log is kept, unchanged, as {beside(kept, '-wal')}.",
        next_step="Nothing has to be done; look through your latest sessions.",
    )


def late_notice(path: Path, problem: str) -> DatabaseCorrupt:
    """Return the notice for damage that was found while the file was already in use."""
    return DatabaseCorrupt(
        f"The database {path} is damaged ({problem}).",
        safe="Lulu goes on with what can be read.",
        next_step="Stop Lulu, copy the file, and try `sqlite3 lulu.db .recover`.",
    )


def _checksum(words: tuple[int, ...]) -> tuple[int, int]:
    """Return SQLite's checksum over pairs of 32-bit words."""
    first = second = 0
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
