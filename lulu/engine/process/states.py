"""The states of an agent's process, and the moves between them. Pure: knows no process and no store."""

from __future__ import annotations

from enum import StrEnum


class ProcessState(StrEnum):
    """Where a session's process stands. A demo agent, which has none, goes through the same states."""

    STARTING = "starting"
    #: It has a turn, or something in the background.
    WORKING = "working"
    IDLE = "idle"
    #: It was told to end: nothing is sent to it any more, and what it still says is only written down.
    DYING = "dying"
    #: There is none.
    GONE = "gone"


#: From each state, where a process may go; from ``gone``, the next one begins.
ALLOWED: dict[ProcessState, frozenset[ProcessState]] = {
    ProcessState.STARTING: frozenset({ProcessState.IDLE, ProcessState.DYING, ProcessState.GONE}),
    ProcessState.WORKING: frozenset({ProcessState.IDLE, ProcessState.DYING, ProcessState.GONE}),
    ProcessState.IDLE: frozenset({ProcessState.WORKING, ProcessState.DYING, ProcessState.GONE}),
    ProcessState.DYING: frozenset({ProcessState.GONE}),
    ProcessState.GONE: frozenset({ProcessState.STARTING}),
}
#: In these it hears what is sent to it.
HEARS = frozenset({ProcessState.WORKING, ProcessState.IDLE})


def moved(state: ProcessState, target: ProcessState) -> ProcessState:
    """``target`` where that is a move from ``state``, else ``state``: what comes too late changes nothing."""
    return target if target in ALLOWED[state] else state
