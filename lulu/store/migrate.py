"""Brings a file to this version's schema: on a copy that replaces it in one step, the original kept as the backup.

A kill at any moment leaves the old file or the new one, never something between.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, NullPool, create_engine

from lulu.errors import DatabaseInUse, DatabaseNewer

#: The revision that this version of Lulu writes.
HEAD = "002"
#: Every revision that it can start from.
KNOWN = ("001", "002")
#: The number that the seed wrote into ``schema_version``; it stays for older readers.
SEED_VERSION = 1

_SCRIPTS = Path(__file__).parent / "migrations"


class FileAge(StrEnum):
    """How a file stands to this version."""

    BLANK = "blank"
    OLD = "old"
    CURRENT = "current"
    NEWER = "newer"


def engine_for(path: Path, *, mode: str = "rw") -> Engine:
    """A bare engine for one-off work. ``mode`` is SQLite's: ``ro``, ``rw`` or ``rwc``."""
    return create_engine(f"sqlite:///file:{path}?mode={mode}&uri=true", poolclass=NullPool)


def revision_of(connection: Connection) -> tuple[FileAge, str | None]:
    """How old the file is, and the Alembic revision that it names."""
    tables = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" in tables:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if revision == HEAD:
            return FileAge.CURRENT, revision
        return (FileAge.OLD if revision in KNOWN else FileAge.NEWER), revision
    if "schema_version" in tables:
        version = connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar()
        if version is not None and version > SEED_VERSION:
            return FileAge.NEWER, f"schema {version}"
    return (FileAge.OLD if {"sessions", "conversation_events"} <= tables else FileAge.BLANK), None


def migrate(path: Path) -> Path | None:
    """Bring the file to ``HEAD``; the backup's path where there was something to keep.

    Raises ``DatabaseNewer`` for a file of a later version, which is not touched, and ``DatabaseInUse`` while
    another program has the file open.
    """
    age, revision = _age(path)
    if age is FileAge.CURRENT:
        return None
    if age is FileAge.NEWER:
        raise DatabaseNewer(
            f"{path} was written by a later version of Lulu ({revision}); this one knows up to {HEAD}.",
            safe="The file was not touched.",
            next_step="Update Lulu, or set LULU_DATA_DIR to another folder.",
        )
    copy = path.with_name(path.name + ".migrating")
    copy.unlink(missing_ok=True)
    if path.exists():
        _copy_to(path, copy)
    _upgrade(copy, seeded=age is FileAge.OLD and revision is None)
    copy.chmod(0o600)
    return _replace(path, copy, keep=age is FileAge.OLD)


def _age(path: Path) -> tuple[FileAge, str | None]:
    if not path.exists() or path.stat().st_size == 0:
        return FileAge.BLANK, None
    engine = engine_for(path, mode="ro")
    with engine.connect() as connection:
        return revision_of(connection)


def _copy_to(path: Path, copy: Path) -> None:
    with engine_for(path).connect() as connection:
        # Outside a transaction: VACUUM refuses to run in one.
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        plain.exec_driver_sql("VACUUM INTO ?", (str(copy),))
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        # The last connection to close removes the log; if it is still there, somebody else writes.
        copy.unlink()
        raise DatabaseInUse(
            f"Another program has {path} open.", safe="Nothing was changed.", next_step="Close it and start Lulu again."
        )


def _upgrade(copy: Path, *, seeded: bool) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    with engine_for(copy, mode="rwc").begin() as connection:
        config.attributes["connection"] = connection
        if seeded:
            command.stamp(config, "001")
        command.upgrade(config, "head")


def _replace(path: Path, copy: Path, *, keep: bool) -> Path | None:
    _sync(copy)
    backup = None
    if keep:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        backup = path.with_name(f"{path.name}.backup-{stamp}")
        try:
            os.link(path, backup)
        except OSError:
            # A file system without hard links.
            shutil.copy2(path, backup)
    copy.replace(path)
    _sync(path.parent)
    return backup


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
