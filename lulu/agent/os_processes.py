"""Find and end agent processes, by pid and start time, so that a reused pid is never hit."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import psutil

#: The environment variable that marks all processes started by an agent process.
MARK = "LULU_STARTED_FOR"
#: Seconds by which two readings of one start time may differ. Linux counts from the boot; the boot time has whole
#: seconds and changes when the clock is set. No pid is reused that fast.
_CLOCK = 2.0


def start_time(pid: int) -> float | None:
    """Return the start time of a process (seconds since the epoch), or ``None`` if it has ended."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def is_running(pid: int, started_at: float | None) -> bool:
    """Whether the same process still runs and is no zombie."""
    return _find(pid, started_at) is not None


def terminate(pid: int, started_at: float | None) -> None:
    """Send SIGTERM to the process alone: Claude Code ends its own tools."""
    if process := _find(pid, started_at):
        with contextlib.suppress(psutil.Error):
            process.terminate()


def kill(pid: int, started_at: float | None) -> None:
    """Send SIGKILL to the process and all that it started."""
    if process := _find(pid, started_at):
        kill_processes(family(process))


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return the process and its descendants, as far as they are still known."""
    with contextlib.suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return [process]


def kill_processes(found: Iterable[psutil.Process]) -> None:
    """Send SIGKILL to each process, and ignore those that have ended.

    Never to this process and its ancestors: an agent may restart the Lulu that it works for.
    """
    own = psutil.Process()
    for process in {*found} - {own, *own.parents()}:
        with contextlib.suppress(psutil.Error):
            process.kill()


def mark_of(database: Path) -> str:
    """Return the prefix of the marks of all processes of the Lulu with this database."""
    return f"{database}:"


def end_marked(mark: str) -> None:
    """Send SIGKILL to each process with a mark that begins with ``mark``, and to all that it started.

    A killed process has no known children, and a tool may lead a session of its own. But it inherits the environment.
    One without it is found by its session, if a marked process leads that.
    """
    marked = [process for process in psutil.process_iter() if _carries(process, mark)]
    leads = {process.pid for process in marked} - {os.getsid(0)}
    others = [process for process in psutil.process_iter() if _session_of(process) in leads] if leads else []
    kill_processes({*others, *(one for process in marked for one in family(process))})


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK, "").startswith(mark)
    except (psutil.Error, OSError):
        return False


def _session_of(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def _find(pid: int, started_at: float | None) -> psutil.Process | None:
    """Return the process, or ``None`` if it has ended or has no known start time to recognize it by."""
    if started_at is None:
        return None
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started_at) <= _CLOCK
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None
