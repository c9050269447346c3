"""Damage: how it is found, and what is kept aside. Nothing is written over; the bytes stay as they were found."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from lulu.errors import DatabaseCorrupt
from lulu.store.sqlite import errors
from lulu.store.sqlite.connection import bare_engine

#: What SQLite keeps beside a database: the write-ahead log, its index, the rollback journal.
SIDE_FILES = ("-wal", "-shm", "-journal")
#: Those of them that hold content.
_LOGS = ("-wal", "-journal")
#: How long every database's own header is.
_FILE_HEADER = 100
#: How a log begins: https://www.sqlite.org/fileformat2.html#wal_file_format
_LOG_HEADER = 32
_LOG_MAGIC = (0x377F0682, 0x377F0683)


def beside(path: Path, suffix: str) -> Path:
    """The file of that name with a suffix."""
    return path.with_name(path.name + suffix)


def is_empty(path: Path) -> bool:
    """Whether there is no file, or nothing in it."""
    return not path.exists() or path.stat().st_size == 0


def damage_of(path: Path) -> str | None:
    """What is wrong with the file; nothing where it is sound, or where another problem hides the answer."""
    if path.stat().st_size < _FILE_HEADER:
        # SQLite takes a file of one byte for an empty one.
        return "file is too short"
    try:
        with bare_engine(path, mode="ro").connect() as connection:
            answer = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    except DatabaseError as exc:
        return str(exc.orig) if errors.is_damage(exc) else None
    return None if answer == "ok" else answer


def lost_its_file(path: Path) -> bool:
    """Whether a log is left of a database that is gone or empty. SQLite would delete it, or read it into the next."""
    return is_empty(path) and any(not is_empty(beside(path, suffix)) for suffix in _LOGS)


def has_broken_log(path: Path) -> bool:
    """Whether the write-ahead log does not begin like one. SQLite would take it for empty and write over it."""
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
    """Rename the database and its side files, or those that are named; the new name of the database."""
    kept = stamped(path, "corrupt")
    for suffix in suffixes:
        file = beside(path, suffix)
        if file.exists():
            file.rename(beside(kept, suffix))
    return kept


def stamped(path: Path, what: str) -> Path:
    """A name beside ``path`` that nothing has yet: ``lulu.db.<what>-<time>``."""
    name = f".{what}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    place = beside(path, name)
    count = 1
    while any(beside(place, suffix).exists() for suffix in ("", *SIDE_FILES)):
        count += 1
        place = beside(path, f"{name}-{count}")
    return place


def replaced_notice(problem: str, kept: Path) -> DatabaseCorrupt:
    """A new file was begun."""
    return DatabaseCorrupt(
        f"The database was damaged ({problem}), so Lulu began a new one.",
        safe=f"The damaged file is kept, unchanged, as {kept}.",
        next_step="Earlier sessions may be read from it with `sqlite3 FILE .recover`.",
    )


def broken_log_notice(path: Path, kept: Path) -> DatabaseCorrupt:
    """The file is sound, its log is not."""
    return DatabaseCorrupt(
        f"The log of {path} was damaged: the last changes before Lulu stopped may be missing.",
        safe=f"The database itself is in use; the damaged log is kept, unchanged, as {beside(kept, '-wal')}.",
        next_step="Nothing has to be done; look through your latest sessions.",
    )


def late_notice(path: Path, problem: str) -> DatabaseCorrupt:
    """Found while the file was in use already."""
    return DatabaseCorrupt(
        f"The database {path} is damaged ({problem}).",
        safe="Lulu goes on with what can be read.",
        next_step="Stop Lulu, copy the file, and try `sqlite3 lulu.db .recover`.",
    )


def _checksum(words: tuple[int, ...]) -> tuple[int, int]:
    """SQLite's own, over pairs of 32-bit words."""
    first = second = 0
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
