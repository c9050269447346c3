"""Translates SQLite's errors into sentences for a person; separates faults of file and job."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import DBAPIError

from lulu.errors import (
    Conflict,
    DatabaseCorrupt,
    DatabaseInUse,
    DatabaseUnwritable,
    LuluError,
    SessionNotFound,
    StoreBusy,
    StoreError,
)

#: Error names for a wrong statement or value; file and disk are sound.
_OF_THE_JOB = ("SQLITE_CONSTRAINT", "SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE")
#: Parts of the messages for a search index that lacks a table or has an invalid one.
_OF_THE_INDEX = ("fts5 file format", "vtable constructor failed", "no such table: search", "no such table: main.search")


class IndexDamaged(Exception):
    """The search index is inconsistent. The rows are sound, so it can be built again."""


def code_of(exc: DBAPIError) -> str:
    """Return SQLite's name for the error; empty if the driver raised before it called SQLite."""
    return str(getattr(exc.orig, "sqlite_errorname", ""))


def is_damage(exc: DBAPIError) -> bool:
    """Whether the file's content is damaged. The search index does not count: see ``is_index_damage``."""
    if is_index_damage(exc):
        return False
    # A damaged header may be reported as an unsupported format; SQLite itself writes none that it refuses so.
    return code_of(exc).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "unsupported file format" in str(exc.orig)


def is_index_damage(exc: BaseException) -> bool:
    """Whether the search index is inconsistent or lacks one of its tables."""
    if not isinstance(exc, DBAPIError):
        return isinstance(exc, IndexDamaged)
    return code_of(exc) == "SQLITE_CORRUPT_VTAB" or any(sign in str(exc.orig) for sign in _OF_THE_INDEX)


def is_job_fault(exc: DBAPIError) -> bool:
    """Whether the statement was wrong, not the file or the disk."""
    return not exc.connection_invalidated and (code_of(exc) or "SQLITE_ERROR").startswith(_OF_THE_JOB)


def is_of_the_index(exc: BaseException) -> bool:
    """Whether an error while writing the index or at COMMIT is one of the index.

    The index is written that late, and its damage may then look like a constraint or a "logic error".
    """
    return is_index_damage(exc) or (isinstance(exc, DBAPIError) and is_job_fault(exc))


def of_a_job(exc: BaseException) -> BaseException:
    """Return the exception for the caller of a job that failed."""
    if not isinstance(exc, DBAPIError):
        return exc
    code = code_of(exc)
    if code == "SQLITE_CONSTRAINT_FOREIGNKEY":
        # Every foreign key of the schema refers to a session.
        return SessionNotFound()
    if code in ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"):
        return Conflict("This exists already.", safe="Nothing was changed.")
    return StoreError(f"This cannot be saved ({exc.orig}).", safe="Nothing was changed.")


def cannot_use(path: Path, exc: OSError) -> DatabaseUnwritable:
    """Return the error for a file or folder that the operating system refuses at start."""
    return _unwritable(path, exc.strerror or str(exc))


def at_start(path: Path, exc: DBAPIError) -> StoreError:
    """Return the error for a file that SQLite refuses at start."""
    code = code_of(exc)
    if code == "SQLITE_FULL":
        return DatabaseUnwritable(
            f"There is no room on the disk for {path}.", safe="Nothing was lost.", next_step="Free some space."
        )
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseInUse(
            f"Another program has {path} open.", safe="Nothing was changed.", next_step="Close it and start Lulu again."
        )
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")):
        return _unwritable(path, str(exc.orig))
    return DatabaseCorrupt(
        f"{path} cannot be brought to this version of Lulu: {exc.orig}.",
        safe="It was not changed.",
        next_step="Set LULU_DATA_DIR to another folder, and keep this file for a report of the problem.",
    )


def while_writing(path: Path, exc: BaseException) -> LuluError:
    """Return the error that explains why commits fail now."""
    if isinstance(exc, LuluError):
        return exc
    safe = "Everything shown is saved; what came since waits in memory and is saved as soon as it can be."
    code = code_of(exc) if isinstance(exc, DBAPIError) else ""
    reason = exc.orig if isinstance(exc, DBAPIError) else f"{type(exc).__name__}: {exc}"
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusy(
            "Another program has Lulu's database locked.", safe=safe, next_step=f"Close whatever else has {path} open."
        )
    if code == "SQLITE_FULL":
        return StoreBusy("The disk is full.", safe=safe, next_step=f"Free some space on the disk of {path.parent}.")
    if isinstance(exc, DBAPIError) and is_damage(exc):
        return while_reading(path, exc)
    return DatabaseUnwritable(
        f"Lulu's database cannot be written ({reason}).", safe=safe, next_step=f"Look at {path} and its folder."
    )


def while_reading(path: Path, exc: DBAPIError) -> StoreError:
    """Return the error that explains why a page cannot be shown."""
    if is_damage(exc):
        return DatabaseCorrupt(
            f"Lulu's database {path} is damaged ({exc.orig}).",
            safe="Nothing is written over; what can be read is still shown.",
            next_step="Stop Lulu, copy the file, and start again: a damaged file is kept aside and a new one begun.",
        )
    if is_index_damage(exc):
        return StoreError(
            "The search index is damaged.",
            safe="Only the index: nothing else is touched, and it is being built anew.",
            next_step="Search again in a while.",
        )
    return StoreError(
        f"Lulu's database cannot be read ({exc.orig}).",
        safe="Nothing was changed.",
        next_step=f"Look at {path} and its folder, then reload the page.",
    )


def while_indexing(exc: BaseException) -> LuluError:
    """Return the error that explains why older events are missing in the search index."""
    reason = exc.happened if isinstance(exc, LuluError) else f"{type(exc).__name__}: {exc}"
    return StoreError(
        f"Older events could not be added to the search index. {reason}",
        safe="They are all saved; only search does not find them yet.",
        next_step="It is tried again by itself; if this stays, restart Lulu.",
    )


def _unwritable(path: Path, reason: str) -> DatabaseUnwritable:
    return DatabaseUnwritable(
        f"Lulu cannot write its database {path}: {reason}.",
        safe="Nothing was changed.",
        next_step="Make the file and its folder writable, or set LULU_DATA_DIR to a folder of yours.",
    )
