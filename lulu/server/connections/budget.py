"""Limits how many units one client may use: a number at once, and a number more for each second."""

from __future__ import annotations

import math


class Budget:
    """A token bucket that is full at first; ``take`` uses one unit, and ``now`` is in seconds of one clock."""

    def __init__(self, most: float, each_second: float) -> None:
        self._most = most
        self._each_second = each_second
        self._left = most
        self._at = math.inf

    def take(self, now: float) -> bool:
        """Whether there is one left, which is used up then."""
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._each_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
