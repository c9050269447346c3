"""Limit how often live text is stored: at most every ``LIVE_SECONDS``, always the latest text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from lulu.store import LiveText

#: Seconds between two writes of a session's live text.
LIVE_SECONDS = 0.1


class LivePace:
    """Passes on the latest live text at a limited rate."""

    def __init__(self, record: Callable[[LiveText], None]) -> None:
        self._record = record
        self._latest: LiveText | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stored_at = 0.0

    def show(self, live: LiveText) -> None:
        """Store the text now, or when the pause is over."""
        self._latest = live
        if self._timer is None:
            pause = max(0.0, self._stored_at + LIVE_SECONDS - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(pause, self._store)

    def forget(self) -> None:
        """Drop the text, because the block is finished or was dropped. That change clears the row."""
        self._latest = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _store(self) -> None:
        self._timer = None
        self._stored_at = time.monotonic()
        if self._latest is not None:
            self._record(self._latest)
