"""Agent processes of this user, told apart by pid and start time, so that a reused pid is never hit."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import psutil

#: The variable by which what an agent process starts is told from everything else.
MARK = "LULU_STARTED_FOR"
#: Two readings of one start time may differ by this much (seconds): Linux counts from the boot, whose own time is kept
#: in whole seconds and moves when the clock is set. No pid comes round again this fast.
_CLOCK = 2.0


def start_time(pid: int) -> float | None:
    """When the process started (seconds since the epoch), or nothing where there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def is_running(pid: int, started_at: float | None) -> bool:
    """Whether the same process is still there and not a zombie."""
    return _find(pid, started_at) is not None


def terminate(pid: int, started_at: float | None) -> None:
    """SIGTERM to the process alone: Claude Code ends its own tools."""
    if process := _find(pid, started_at):
        with contextlib.suppress(psutil.Error):
            process.terminate()


def kill(pid: int, started_at: float | None) -> None:
    """SIGKILL to the process and all that it started."""
    if process := _find(pid, started_at):
        kill_processes(family(process))


def family(process: psutil.Process) -> list[psutil.Process]:
    """The process and everything below it, while it can still be told."""
    with contextlib.suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return [process]


def kill_processes(found: Iterable[psutil.Process]) -> None:
    """SIGKILL to each; one that is gone already does not matter.

    Never to this one and those that it was started by: an agent may start the Lulu anew that it works for.
    """
    own = psutil.Process()
    for process in {*found} - {own, *own.parents()}:
        with contextlib.suppress(psutil.Error):
            process.kill()


def mark_of(database: Path) -> str:
    """How the marks of all processes begin that work, or worked, for the Lulu with this file."""
    return f"{database}:"


def end_marked(mark: str) -> None:
    """SIGKILL to each process that carries a mark which begins so, and to all that they started.

    A killed process cannot be asked for its children, and a tool may be in a session of its own: what it inherits is
    the environment. One that cleared it is found by the session that a marked one leads.
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
    """The process, or nothing where it is gone; without a start time nobody can tell it from another one's."""
    if started_at is None:
        return None
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started_at) <= _CLOCK
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None
