"""Limit the rate of one client: a burst, and a number more per second."""

from __future__ import annotations

import math


class Budget:
    """A token bucket, full at first. ``most``: its size; ``each_second``: its refill."""

    def __init__(self, most: float, each_second: float) -> None:
        self._most = most
        self._each_second = each_second
        self._left = most
        self._at = math.inf

    def take(self, now: float) -> bool:
        """Use one unit if there is one. Returns whether there was. ``now``: seconds of one clock."""
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._each_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
