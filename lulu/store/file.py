"""The database file as a file: who holds it, whether it is sound, what is done with a damaged one. No rows."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.exc import DatabaseError, OperationalError

from lulu.errors import DatabaseCorrupt, DatabaseInUse, DatabaseUnwritable, LuluError
from lulu.store.migrate import engine_for, migrate

#: Start-up waits this long for the soundness check; a larger file is checked to its end in the background.
CHECK_SECONDS = 1.0

_SIDE_FILES = ("", "-wal", "-shm", "-journal")


@dataclass
class OpenedFile:
    """A file that this process holds, at this version's schema."""

    path: Path
    lock: FileLock
    #: What the owner should know: a damaged file kept aside, a backup made.
    notices: list[LuluError] = field(default_factory=list)

    def release(self) -> None:
        """Let another process have it."""
        _owner_file(self.path).unlink(missing_ok=True)
        self.lock.release()


def open_file(path: Path) -> OpenedFile:
    """Lock, check and migrate. Raises a ``StoreError`` that a person can act on."""
    _prepare_folder(path)
    opened = OpenedFile(path=path, lock=_lock(path))
    try:
        _check(opened)
        backup = migrate(path)
    except DatabaseError as exc:
        opened.release()
        raise _unusable(path, exc) from exc
    except OSError as exc:
        opened.release()
        raise _unwritable(path, exc) from exc
    except LuluError:
        opened.release()
        raise
    if backup:
        opened.notices.append(
            LuluError("The database was brought to this version of Lulu.", safe=f"The old file is kept as {backup}.")
        )
    return opened


def _prepare_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            with path.open("r+b"):
                pass
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(13, "the folder is not writable", str(path.parent))
    except OSError as exc:
        raise _unwritable(path, exc) from exc


def _unwritable(path: Path, exc: OSError) -> DatabaseUnwritable:
    return DatabaseUnwritable(
        f"Lulu cannot write its database {path}: {exc.strerror or exc}.",
        safe="Nothing was changed.",
        next_step="Make the file and its folder writable, or set LULU_DATA_DIR to a folder of yours.",
    )


def _unusable(path: Path, exc: DatabaseError) -> LuluError:
    code = getattr(exc.orig, "sqlite_errorname", "")
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return DatabaseUnwritable(
            f"Lulu cannot write its database {path}: {exc.orig}.",
            safe="Nothing was changed.",
            next_step="Make the file and its folder writable, or set LULU_DATA_DIR to a folder of yours.",
        )
    if code == "SQLITE_FULL":
        return DatabaseUnwritable(
            f"There is no room on the disk for {path}.", safe="Nothing was lost.", next_step="Free some space."
        )
    if code.startswith("SQLITE_BUSY"):
        return DatabaseInUse(
            f"Another program has {path} locked.", safe="Nothing was changed.", next_step="Close it and try again."
        )
    return DatabaseCorrupt(f"{path} cannot be opened: {exc.orig}.", safe="It was not changed.")


def _owner_file(path: Path) -> Path:
    return path.with_name(path.name + ".owner")


def _lock(path: Path) -> FileLock:
    # The kernel frees it on any death of the process, kill -9 too.
    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout as exc:
        raise DatabaseInUse(
            f"Another Lulu{_owner(path)} is using {path}.",
            safe="It goes on undisturbed; nothing was changed.",
            next_step="Use that one, stop it first, or set LULU_DATA_DIR to another folder.",
        ) from exc
    except OSError as exc:
        raise _unwritable(path, exc) from exc
    owner = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    _owner_file(path).write_text(json.dumps(owner))
    return lock


def _owner(path: Path) -> str:
    try:
        owner = json.loads(_owner_file(path).read_text())
        return f" (process {int(owner['pid'])}, since {owner['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _check(opened: OpenedFile) -> None:
    """Keep a damaged file aside; finish a long check in the background."""
    path = opened.path
    if not path.exists() or path.stat().st_size == 0:
        return
    check: Future[str | None] = Future()
    threading.Thread(target=lambda: check.set_result(_damage(path)), name="database-check", daemon=True).start()
    try:
        damage = check.result(CHECK_SECONDS)
    except TimeoutError:
        check.add_done_callback(lambda late: _note_damage(opened, late.result(), kept=None))
    else:
        _note_damage(opened, damage, kept=_set_aside(path) if damage else None)


def _note_damage(opened: OpenedFile, damage: str | None, *, kept: Path | None) -> None:
    if damage:
        opened.notices.append(_damaged_notice(opened.path, damage, kept=kept))


def _damage(path: Path) -> str | None:
    """What is wrong with the file; nothing where it is sound or where another problem hides the answer."""
    try:
        with engine_for(path, mode="ro").connect() as connection:
            answer = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    except OperationalError:
        return None
    except DatabaseError as exc:
        return str(exc.orig)
    return None if answer == "ok" else answer


def _set_aside(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in _SIDE_FILES:
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(kept.with_name(kept.name + suffix))
    return kept


def _damaged_notice(path: Path, problem: str, *, kept: Path | None) -> DatabaseCorrupt:
    if kept is None:
        return DatabaseCorrupt(
            f"The database {path} is damaged ({problem}).",
            safe="Lulu goes on with what can be read.",
            next_step="Stop Lulu, copy the file, and try `sqlite3 lulu.db .recover`.",
        )
    return DatabaseCorrupt(
        f"The database was damaged ({problem}), so Lulu began a new one.",
        safe=f"The damaged file is kept, unchanged, as {kept}.",
        next_step="Earlier sessions may be read from it with `sqlite3 FILE .recover`.",
    )
