"""How fast the demo agent is: a factor on a human's pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable


class Pace:
    """Waits, faster or not at all. ``speed`` 1 is human, 2 twice as fast, 0 never waits."""

    def __init__(self, speed: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._speed = speed
        self._sleep = sleep

    async def pause(self, seconds: float) -> None:
        """Waits so many seconds of human time; other tasks run in any case."""
        await self._sleep(seconds / self._speed if self._speed else 0)

    async def beat(self, *, rate: float, count: int) -> AsyncIterator[int]:
        """0, 1, 2, … at so many a second. A late beat does not delay the ones after it."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in range(count):
            due = start + number / rate / self._speed if self._speed else 0.0
            await self._sleep(max(0.0, due - loop.time()))
            yield number
