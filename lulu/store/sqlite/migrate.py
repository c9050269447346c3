"""Migrates a file to this version's schema: on a copy that replaces it in one step.

The original is kept as a backup. A kill at any time leaves the old file or the new one, never a mixture.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from lulu.errors import DatabaseNewer, StoreError
from lulu.store.sqlite import errors
from lulu.store.sqlite.connection import bare_engine
from lulu.store.sqlite.damage import SIDE_FILES, beside, is_empty, stamped

#: The revision of this version of Lulu.
HEAD = "009"
#: Every revision that can be migrated.
KNOWN = ("001", "002", "003", "004", "005", "006", "007", "008", "009")
#: The number that the seed, the first version, wrote into ``schema_version``; older readers still need it.
SEED_VERSION = 1
#: The seed's tables. It created them one by one, so after a crash some may be missing.
SEED_TABLES = frozenset({"sessions", "conversation_events", "schema_version"})

_SCRIPTS = Path(__file__).parent / "migrations"


class FileAge(StrEnum):
    """The age of a file in comparison with this version."""

    BLANK = "blank"
    OLD = "old"
    CURRENT = "current"
    NEWER = "newer"
    FOREIGN = "foreign"


def age_of(path: Path) -> tuple[FileAge, str | None]:
    """Return the age of the file, and its revision if it has one. Only reads."""
    if is_empty(path):
        return FileAge.BLANK, None
    try:
        with bare_engine(path, mode="ro").connect() as connection:
            return _age(connection)
    except DatabaseError as exc:
        if errors.code_of(exc) != "SQLITE_READONLY_ROLLBACK":
            raise
    # Its program died inside a transaction, and SQLite has to roll it back before it can read. Lulu's own files are
    # never in this state: they have a write-ahead log.
    with bare_engine(path).connect() as connection:
        return _age(connection)


def refuse_unknown(path: Path, age: FileAge, revision: str | None) -> None:
    """Raise ``DatabaseNewer`` for a later version's file, ``StoreError`` for another program's."""
    if age is FileAge.NEWER:
        raise DatabaseNewer(
            f"{path} was written by a later version of Lulu ({revision}); this one knows up to {HEAD}.",
            safe="The file was not touched.",
            next_step="Update Lulu, or set LULU_DATA_DIR to another folder.",
        )
    if age is FileAge.FOREIGN:
        raise StoreError(
            f"{path} is another program's database: it has tables, but not Lulu's.",
            safe="The file was not touched.",
            next_step="Set LULU_DATA_DIR or LULU_DATABASE_URL to a place of Lulu's own.",
        )


def migrate(path: Path) -> Path | None:
    """Migrate the file to ``HEAD``. Returns the path of the backup, if there was content to keep.

    Raises what ``refuse_unknown`` raises, and SQLite's own errors if the file cannot be copied: another program writes
    it, it is damaged, or the disk is full.
    """
    age, revision = age_of(path)
    refuse_unknown(path, age, revision)
    if age is FileAge.CURRENT:
        return None
    copy = beside(path, ".migrating")
    _remove(copy)
    is_new = is_empty(path)
    try:
        with nullcontext() if is_new else _held(path):
            if not is_new:
                _copy(path, copy)
            _upgrade(copy)
            return _replace(path, copy, keep=not is_new)
    finally:
        # Also after a failure: its bytes may be what the disk lacked.
        _remove(copy)


def _age(connection: Connection) -> tuple[FileAge, str | None]:
    found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {str(row[0]) for row in found if not str(row[0]).startswith("sqlite_")}
    whole = tables >= {"sessions", "conversation_events"}
    if "alembic_version" in tables:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if revision not in KNOWN:
            return FileAge.NEWER, str(revision)
        if not whole:
            return FileAge.FOREIGN, None
        return (FileAge.CURRENT if revision == HEAD else FileAge.OLD), revision
    if "schema_version" in tables:
        version = connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar()
        if isinstance(version, int) and version > SEED_VERSION:
            return FileAge.NEWER, f"schema {version}"
    if not tables:
        return FileAge.BLANK, None
    return (FileAge.OLD if whole or tables <= SEED_TABLES else FileAge.FOREIGN), None


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Merge the log into the file, and keep other programs from writing until the block ends."""
    with bare_engine(path).connect() as connection:
        # SQLite's own transactions: VACUUM and PRAGMA fail inside one of the driver's.
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        # Merges the log into the file. Fails while another program has the file open: that one would go on writing to
        # the old file, and SQLite would use its log for the new one.
        plain.exec_driver_sql("PRAGMA journal_mode=DELETE")
        plain.exec_driver_sql("BEGIN IMMEDIATE")
        yield


def _copy(path: Path, copy: Path) -> None:
    with bare_engine(path).connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.exec_driver_sql("VACUUM INTO ?", (str(copy),))


def _upgrade(copy: Path) -> None:
    config = Config()
    # The parser reads "%" as a reference.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = bare_engine(copy, mode="rwc")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("PRAGMA journal_mode=WAL")


def _replace(path: Path, copy: Path, *, keep: bool) -> Path | None:
    copy.chmod(0o600)
    _sync(copy)
    backup = None
    if keep:
        backup = stamped(path, "backup")
        try:
            os.link(path, backup)
        except OSError:
            # The file system has no hard links.
            shutil.copy2(path, backup)
            _sync(backup)
    copy.replace(path)
    _sync(path.parent)
    return backup


def _remove(copy: Path) -> None:
    # With its side files: SQLite would apply the journal of a killed migration to the next copy.
    for suffix in ("", *SIDE_FILES):
        beside(copy, suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
