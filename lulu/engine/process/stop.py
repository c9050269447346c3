"""End a turn that does not end by itself: interrupt, then SIGTERM, then SIGKILL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

#: Seconds from one step to the next.
INTERRUPT_SECONDS = 3.0
TERMINATE_SECONDS = 2.0
#: Seconds that a stop of Lulu waits for unfinished tasks after these steps.
STRAGGLERS_SECONDS = 0.5

#: The step that ended the turn.
Step = Literal["interrupt", "terminate", "kill"]


class Process(Protocol):
    """An agent with a process that can be ended by force. A demo agent has no process."""

    pid: int | None

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL to the process and its tools."""


async def stop_turn(
    process: Callable[[], Process | None], settled: asyncio.Event, abandon: Callable[[], Awaitable[None]]
) -> Step:
    """Wait after a sent interrupt, then use force. Return the last step that was needed.

    ``settled`` is set when the turn has ended. ``abandon`` drops an agent without a process. ``process`` is called
    again before each step.
    """
    if await _within(settled, INTERRUPT_SECONDS):
        return "interrupt"
    running = process()
    if running is None or running.pid is None:
        await abandon()
        return "interrupt"
    running.terminate()
    if await _within(settled, TERMINATE_SECONDS):
        return "terminate"
    running.kill()
    await _within(settled, TERMINATE_SECONDS)
    return "kill"


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
