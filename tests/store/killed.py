"""Opens a file that needs a migration, again and again, and is killed one step later each time.

A step is whatever can change the disk: an open for writing, rename, link, remove, chmod, … (Python's audit events), a
connection, each SQL statement, and every hundred of SQLite's own instructions. Run in a process of its own:
``python -m tests.store.killed <folder> <kind> <every>``; prints, as JSON, how many kills there were and what was found
after them.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from lulu.store import Store
from lulu.store.sqlite.migrate import HEAD
from tests.store.files import execute, integrity, make_released, make_seed, rows_of

_AUDITED = ("os.", "sqlite3.", "fcntl.", "shutil.")
_HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.stat")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
#: SQLite's instructions between two steps.
_INSTRUCTIONS = 100


def main(folder: Path, kind: str, every: int) -> None:
    """Kill at steps 0, ``every``, 2 × ``every``, … until one run gets to its end."""
    folder.mkdir(parents=True)
    template = make(folder / "template" / "lulu.db", kind)
    wanted = rows_of(template) if template.exists() else ([], [])
    # Everything is imported once, here: the forks below only run it.
    Store.open(make(folder / "warm" / "lulu.db", kind)).close()
    found: Counter[str] = Counter()
    step = 0
    while True:
        place = folder / "place"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(template.parent, place)
        path = place / template.name
        killed = _run(lambda path=path, step=step: _killed_at(step, path))
        found[state_of(path, folder / "look", wanted)] += 1
        if _run(lambda path=path: _opened(path)) != 0 or state_of(path, folder / "look", wanted) != "new":
            found[f"not opened after step {step}"] += 1
        if killed == 0:
            break
        step += every
    sys.stdout.write(json.dumps({"kills": step // every, "found": found}))


def make(path: Path, kind: str) -> Path:
    """A file of that kind."""
    path.parent.mkdir(parents=True)
    if kind == "first":
        return make_released(path, "001")
    if kind == "blank":
        return path
    make_seed(path, journal_mode="WAL" if kind == "log" else "DELETE")
    if kind == "log":
        _run(lambda: _leave_hot_log(path))
    return path


def state_of(path: Path, look: Path, wanted: object) -> str:
    """``old``, ``new`` or what else the file is; looked at in a copy, for a look alone would tidy up."""
    shutil.rmtree(look, ignore_errors=True)
    shutil.copytree(path.parent, look)
    path = look / path.name
    if not path.exists() or path.stat().st_size == 0:
        return "old" if wanted == ([], []) else "gone"
    if integrity(path) != "ok":
        return "damaged"
    if rows_of(path) != wanted:
        return "other rows"
    tables = {row[0] for row in execute(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    revision = execute(path, "SELECT version_num FROM alembic_version") if "alembic_version" in tables else []
    if revision == [(HEAD,)] and "approvals" in tables:
        return "new"
    return "old" if revision in ([], [("001",)]) and "commands" not in tables else "between"


def _run(work: Any) -> int:
    """In a fork; its exit code, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if work() is None else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _opened(path: Path) -> None:
    Store.open(path).close()


def _leave_hot_log(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("INSERT INTO sessions (id, prompt) VALUES ('in-the-log', 'p')")
    os.kill(os.getpid(), signal.SIGKILL)


def _killed_at(last: int, path: Path) -> None:
    # A collection that happens to run would close files, and so shift the steps.
    gc.disable()
    step = 0
    lock = threading.Lock()

    def count(*_: object) -> None:
        nonlocal step
        with lock:
            if step == last:
                # Not ``os.kill``: that is an audit event itself.
                signal.raise_signal(signal.SIGKILL)
            step += 1

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and bool(arguments[2] & _WRITES)
        if writes or (event.startswith(_AUDITED) and event not in _HARMLESS):
            count()

    connect = sqlite3.connect

    def connect_counting(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_progress_handler(count, _INSTRUCTIONS)
        connection.set_trace_callback(count)
        return connection

    sqlite3.connect = connect_counting  # type: ignore[assignment]  # one of its overloads
    sys.addaudithook(audit)
    Store.open(path).close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
