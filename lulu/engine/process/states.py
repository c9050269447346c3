"""The states of an agent's process, and the allowed moves between them. Pure."""

from __future__ import annotations

from enum import StrEnum


class ProcessState(StrEnum):
    """The state of a session's process. A demo agent has the same states without a process."""

    STARTING = "starting"
    #: A turn or a background task is running.
    WORKING = "working"
    IDLE = "idle"
    #: The process was asked to end. It gets no more messages; its output is only recorded.
    DYING = "dying"
    #: There is no process.
    GONE = "gone"


#: The allowed moves from each state. From ``gone``, the next process begins.
ALLOWED: dict[ProcessState, frozenset[ProcessState]] = {
    ProcessState.STARTING: frozenset({ProcessState.IDLE, ProcessState.DYING, ProcessState.GONE}),
    ProcessState.WORKING: frozenset({ProcessState.IDLE, ProcessState.DYING, ProcessState.GONE}),
    ProcessState.IDLE: frozenset({ProcessState.WORKING, ProcessState.DYING, ProcessState.GONE}),
    ProcessState.DYING: frozenset({ProcessState.GONE}),
    ProcessState.GONE: frozenset({ProcessState.STARTING}),
}
#: The states in which the process reads messages.
HEARS = frozenset({ProcessState.WORKING, ProcessState.IDLE})


def moved(state: ProcessState, target: ProcessState) -> ProcessState:
    """Return ``target`` if the move is allowed, or else ``state``, so that late moves have no effect."""
    return target if target in ALLOWED[state] else state
