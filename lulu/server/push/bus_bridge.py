"""The way of a ring from the thread that rings to the server's loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

from lulu.store.bus import Bus


class Rings:
    """Calls ``deliver`` in the running loop with what has rung since the last time: ``{topic: last number}``, in the
    order in which the topics rang last. However many rings come in one moment, the loop is woken once."""

    def __init__(self, bus: Bus, deliver: Callable[[dict[str, int]], None]) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._rung: dict[str, int] = {}
        self.close = bus.subscribe(self._hear)

    def _hear(self, topic: str, number: int) -> None:
        """In the thread that rings: note the number, and wake the loop unless that is already under way."""
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
