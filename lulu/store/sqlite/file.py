"""The database file: its lock, its soundness, its permissions. Reads and writes no rows."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.exc import DatabaseError

from lulu.errors import DatabaseInUse, DatabaseUnwritable, LuluError
from lulu.store.sqlite import damage, errors
from lulu.store.sqlite.damage import SIDE_FILES, beside
from lulu.store.sqlite.migrate import FileAge, age_of, migrate, refuse_unknown

log = logging.getLogger(__name__)

#: Seconds that the start waits for the soundness check. A longer check ends in the background.
CHECK_SECONDS = 1.0


@dataclass
class OpenedFile:
    """A file that this process has locked, at this version's schema."""

    path: Path
    lock: FileLock
    #: Notices for the owner: a damaged file that was renamed, a backup that was made.
    notices: list[LuluError] = field(default_factory=list)
    #: Called when a notice is added later.
    on_notice: Callable[[], None] = lambda: None

    def note(self, notice: LuluError) -> None:
        """Add a notice for the owner, unless it is there already."""
        if all(notice.happened != known.happened for known in self.notices):
            self.notices.append(notice)
            self.on_notice()

    def release(self) -> None:
        """Release the lock, so that another process can open the file."""
        if self.lock.is_locked:
            beside(self.path, ".owner").unlink(missing_ok=True)
            self.lock.release()


def open_file(path: Path) -> OpenedFile:
    """Lock, check and migrate the file. Raises a ``StoreError`` with advice for a person."""
    try:
        # Resolved, so that two names of one file share one lock.
        path = path.resolve()
        _prepare_place(path)
        opened = OpenedFile(path=path, lock=_lock(path))
    except (OSError, RuntimeError) as exc:
        raise errors.cannot_use(path, exc if isinstance(exc, OSError) else OSError(str(exc))) from exc
    try:
        _make_usable(opened)
        _make_private(path)
    except OSError as exc:
        opened.release()
        raise errors.cannot_use(path, exc) from exc
    except DatabaseError as exc:
        opened.release()
        raise errors.at_start(path, exc) from exc
    except BaseException:
        opened.release()
        raise
    return opened


def unlocked_file(path: Path) -> OpenedFile:
    """Return a file that another process has locked. It is neither checked nor changed."""
    return OpenedFile(path=path, lock=_lock_of(path))


def _prepare_place(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(13, "the folder is not writable", str(path.parent))
    for suffix in ("", *SIDE_FILES):
        # ``os.access`` instead of opening it: closing a database file would drop this process's locks on it.
        file = beside(path, suffix)
        if file.exists() and not file.is_file():
            raise OSError(0, f"{file.name} is not a file")
        if file.exists() and not os.access(file, os.R_OK | os.W_OK):
            raise PermissionError(13, f"{file.name} is not readable and writable")


def _lock(path: Path) -> FileLock:
    # The kernel releases this lock at any end of the process, also after kill -9.
    lock = _lock_of(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as exc:
        raise DatabaseInUse(
            f"Another Lulu{_owner(path)} is using {path}.",
            safe="It goes on undisturbed; nothing was changed.",
            next_step="Use that one, stop it first, or set LULU_DATA_DIR to another folder.",
        ) from exc
    owner = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    with contextlib.suppress(OSError):
        # The file is only for the message to the next process. A full disk must not prevent the start.
        beside(path, ".owner").write_text(json.dumps(owner))
    return lock


def _lock_of(path: Path) -> FileLock:
    return FileLock(beside(path, ".lock"), mode=0o600)


def _owner(path: Path) -> str:
    try:
        owner = json.loads(beside(path, ".owner").read_text())
        return f" (process {int(owner['pid'])}, since {owner['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _make_usable(opened: OpenedFile) -> None:
    """Rename a damaged file, and migrate the file to this version's schema."""
    path = opened.path
    if damage.lost_its_file(path):
        _begin_anew(opened, "it is empty, but its log is not")
    try:
        _migrate_if_sound(opened)
    except DatabaseError as exc:
        if not errors.is_damage(exc):
            raise
        _begin_anew(opened, str(exc.orig))
        migrate(path)


def _migrate_if_sound(opened: OpenedFile) -> None:
    path = opened.path
    age, revision = age_of(path)
    # Before any change: a later version's file must stay as it is.
    refuse_unknown(path, age, revision)
    if damage.has_broken_log(path):
        kept = damage.set_aside(path, ("-wal", "-shm"))
        opened.note(damage.broken_log_notice(path, kept))
    if not damage.is_empty(path):
        _check(opened, wait_for_end=age is not FileAge.CURRENT)
    backup = migrate(path)
    if backup:
        opened.note(
            LuluError("The database was brought to this version of Lulu.", safe=f"The old file is kept as {backup}.")
        )


def _begin_anew(opened: OpenedFile, problem: str) -> None:
    opened.note(damage.replaced_notice(problem, damage.set_aside(opened.path)))


def _check(opened: OpenedFile, *, wait_for_end: bool) -> None:
    """Rename a damaged file. A long check ends in the background."""
    path = opened.path
    check: Future[str | None] = Future()
    threading.Thread(target=lambda: check.set_result(_damage(path)), name="database-check", daemon=True).start()
    try:
        problem = check.result(None if wait_for_end else CHECK_SECONDS)
    except TimeoutError:
        check.add_done_callback(lambda late: _note_late(opened, late.result()))
    else:
        if problem:
            _begin_anew(opened, problem)


def _damage(path: Path) -> str | None:
    try:
        return damage.damage_of(path)
    except Exception:
        # Top of the thread: the caller waits for a result, and an unchecked file does not count as damaged.
        log.exception("%s could not be checked", path)
        return None


def _note_late(opened: OpenedFile, problem: str | None) -> None:
    if problem:
        opened.note(damage.late_notice(opened.path, problem))


def _make_private(path: Path) -> None:
    """Make Lulu's own files readable by their owner only. The folder may be shared, so it stays as it is."""
    for file in path.parent.iterdir():
        ours = file.name.startswith(path.name) and file.is_file() and not file.is_symlink()
        if ours and file.stat().st_mode & 0o077:
            try:
                file.chmod(0o600)
            except OSError as exc:
                raise DatabaseUnwritable(
                    f"Lulu cannot make {file} private: {exc.strerror}.",
                    safe="Nothing was changed.",
                    next_step="Set LULU_DATA_DIR to a folder that belongs to you.",
                ) from exc
