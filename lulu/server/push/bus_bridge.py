"""Pass changes of the bus from the writer's thread to the server's loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

from lulu.store.bus import Bus


class Rings:
    """Calls ``deliver`` in the running loop with ``{topic: last version}`` since the last call.

    Topics are in the order of their last change. For any number of changes, the loop is woken once.
    """

    def __init__(self, bus: Bus, deliver: Callable[[dict[str, int]], None]) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._rung: dict[str, int] = {}
        self.close = bus.subscribe(self._hear)

    def _hear(self, topic: str, number: int) -> None:
        """Note a version, and wake the loop unless it is already waking. Runs in the thread of the change."""
        with self._lock:
            is_waking = bool(self._rung)
            self._rung.pop(topic, None)
            self._rung[topic] = number
        if not is_waking:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._hand_on)

    def _hand_on(self) -> None:
        with self._lock:
            rung, self._rung = self._rung, {}
        self._deliver(rung)
