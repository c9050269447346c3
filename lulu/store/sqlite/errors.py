"""SQLite's errors as sentences for a person, and the line between the file's fault and one job's. No SQL."""

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

#: The statement was wrong, or a value in it; the file and the disk are well.
_OF_THE_JOB = ("SQLITE_CONSTRAINT", "SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE")
#: What it says of a search index that lacks a table, or whose tables do not say what they are.
_OF_THE_INDEX = ("fts5 file format", "vtable constructor failed", "no such table: search", "no such table: main.search")


class IndexDamaged(Exception):
    """The search index contradicts itself; the rows that it was made from are well, so it can be made again."""


def code_of(exc: DBAPIError) -> str:
    """SQLite's own name for the error, or nothing where the driver refused before it asked SQLite."""
    return str(getattr(exc.orig, "sqlite_errorname", ""))


def is_damage(exc: DBAPIError) -> bool:
    """Whether the file's content is not what SQLite wrote. The search index's is not meant: see ``is_index_damage``."""
    if is_index_damage(exc):
        return False
    # The last is how a damaged header may look; no SQLite has ever written a format that another refuses so.
    return code_of(exc).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "unsupported file format" in str(exc.orig)


def is_index_damage(exc: BaseException) -> bool:
    """Whether the search index does not fit its own rules, or lacks one of its tables."""
    if not isinstance(exc, DBAPIError):
        return isinstance(exc, IndexDamaged)
    return code_of(exc) == "SQLITE_CORRUPT_VTAB" or any(sign in str(exc.orig) for sign in _OF_THE_INDEX)


def is_job_fault(exc: DBAPIError) -> bool:
    """Whether the statement was wrong, rather than the file or the disk."""
    return not exc.connection_invalidated and (code_of(exc) or "SQLITE_ERROR").startswith(_OF_THE_JOB)


def is_of_the_index(exc: BaseException) -> bool:
    """Whether the index is to blame where none of our own statements can be: in writing to it, and at a COMMIT.

    The index is written out as late as that, and damage may then look like a constraint or a "logic error".
    """
    return is_index_damage(exc) or (isinstance(exc, DBAPIError) and is_job_fault(exc))


def of_a_job(exc: BaseException) -> BaseException:
    """What the caller of a job that could not be carried out is told."""
    if not isinstance(exc, DBAPIError):
        return exc
    code = code_of(exc)
    if code == "SQLITE_CONSTRAINT_FOREIGNKEY":
        # Every foreign key of the schema names a session.
        return SessionNotFound()
    if code in ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"):
        return Conflict("This exists already.", safe="Nothing was changed.")
    return StoreError(f"This cannot be saved ({exc.orig}).", safe="Nothing was changed.")


def cannot_use(path: Path, exc: OSError) -> DatabaseUnwritable:
    """The operating system refuses the file or its folder at start."""
    return _unwritable(path, exc.strerror or str(exc))


def at_start(path: Path, exc: DBAPIError) -> StoreError:
    """SQLite refuses the file at start."""
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
    """Why commits do not go through now."""
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
    """Why a page cannot be shown."""
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
    """Why older events do not come into the search index now."""
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
