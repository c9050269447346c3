"""How a turn is ended that does not end by itself: asked, then SIGTERM, then SIGKILL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

#: Seconds from one step to the next.
INTERRUPT_SECONDS = 3.0
TERMINATE_SECONDS = 2.0
#: When Lulu stops, what is still under way after these steps is given up after this long (seconds).
STRAGGLERS_SECONDS = 0.5

#: Which step it took.
Step = Literal["interrupt", "terminate", "kill"]


class Process(Protocol):
    """An agent whose process can be ended by force; a demo has none."""

    pid: int | None

    def terminate(self) -> None:
        """SIGTERM."""

    def kill(self) -> None:
        """SIGKILL, to the process and its tools."""


async def stop_turn(
    process: Callable[[], Process | None], settled: asyncio.Event, abandon: Callable[[], Awaitable[None]]
) -> Step:
    """Wait for an interrupt that was sent already, then use force: the step after which ``settled`` was set.

    ``abandon`` lets go of an agent that has no process to end. ``process`` is looked at again before each step.
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
