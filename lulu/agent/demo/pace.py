"""The speed of the demo agent, as a factor of a human's speed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable


class Pace:
    """Waits, faster or not at all. ``speed``: 1 is human, 2 twice as fast, 0 never waits."""

    def __init__(self, speed: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._speed = speed
        self._sleep = sleep

    async def pause(self, seconds: float) -> None:
        """Wait some seconds of human time. Other tasks can run in any case."""
        await self._sleep(seconds / self._speed if self._speed else 0)

    async def beat(self, *, rate: float, count: int) -> AsyncIterator[int]:
        """Yield 0, 1, 2, … at ``rate`` per second. A late number does not delay later ones."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in range(count):
            due = start + number / rate / self._speed if self._speed else 0.0
            await self._sleep(max(0.0, due - loop.time()))
            yield number
