"""The text that an agent is writing: stored at a bounded pace, always with the latest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from lulu.store import LiveText

#: The live text of a session is stored at most this often (seconds) …
LIVE_SECONDS = 0.1
#: … while no more sessions than these are written at once. Each store of each is a run of every page that shows it, so
#: with more of them the pause grows with their number …
FEW = 4
#: … up to this (seconds): slower than that does not look like writing.
MOST_SECONDS = 0.3


class Writers:
    """The sessions that are being written now."""

    def __init__(self) -> None:
        self._now: set[LivePace] = set()

    def note(self, pace: LivePace, *, writes: bool) -> None:
        """Whether the session of this pace is being written."""
        if writes:
            self._now.add(pace)
        else:
            self._now.discard(pace)

    @property
    def pause(self) -> float:
        """Seconds between two texts of one session."""
        return min(LIVE_SECONDS * max(1.0, len(self._now) / FEW), MOST_SECONDS)


class LivePace:
    """Hands on the latest live text of one session at the pace that so many writers allow."""

    def __init__(self, record: Callable[[LiveText], None], writers: Writers) -> None:
        self._record = record
        self._writers = writers
        self._latest: LiveText | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stored_at = 0.0

    def show(self, live: LiveText) -> None:
        """Store now, or when the pause is over."""
        self._latest = live
        self._writers.note(self, writes=True)
        if self._timer is None:
            pause = max(0.0, self._stored_at + self._writers.pause - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(pause, self._store)

    def forget(self) -> None:
        """The block is finished or dropped; the change that says so clears the row."""
        self._latest = None
        self._writers.note(self, writes=False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _store(self) -> None:
        self._timer = None
        self._stored_at = time.monotonic()
        if self._latest is not None:
            self._record(self._latest)
