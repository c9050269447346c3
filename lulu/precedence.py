"""Commits go first: whoever draws a guest's page steps back while one is under way.

Python runs one thread at a time, and a thread that wants its turn waits up to 5 ms (``sys.getswitchinterval``) for one
that computes. A commit gives its turn away with each call into SQLite and asks for it again, some twenty times: beside
twenty pages that draw, one commit of 1.5 ms took 20 to 80 ms.

Owners' pages do not step back (the preview of a guest's does): whoever works there waits for them, there are few, and a
page that waits in mid-run shows old elements below new ones for longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Nobody steps back for longer than this (seconds) from when a commit was wanted: a file that cannot be written must
#: not stop the pages.
MOST_SECONDS = 0.02


class Precedence:
    """Who goes first, and who steps back. Every method may be called from any thread.

    However many agents write, pages have half of the time: after each claim there is none for as long as that was held.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()
        self._since = 0.0
        self._again_at = 0.0
        self._second = threading.local()

    def claim(self) -> None:
        """Go first from here on, or once the pages had their half, until ``release``. Once more changes nothing."""
        with self._lock:
            if self._free.is_set():
                self._since = max(time.monotonic(), self._again_at)
                self._free.clear()

    def release(self) -> None:
        """Let everybody go on."""
        now = time.monotonic()
        with self._lock:
            if not self._free.is_set():
                held = min(max(0.0, now - self._since), MOST_SECONDS)
                self._again_at = max(self._again_at, now + held)
                self._free.set()

    @contextmanager
    def going_second(self) -> Iterator[None]:
        """Within it, this thread steps back wherever ``give_way`` is called. Also a decorator."""
        before = self._is_second()
        self._second.here = True
        try:
            yield
        finally:
            self._second.here = before

    def give_way(self) -> None:
        """Wait while somebody goes first, where this thread goes second; otherwise nothing.

        To be called often, between two pieces of work of a millisecond or less.
        """
        if self._free.is_set() or not self._is_second():
            return
        since, now = self._since, time.monotonic()
        if since <= now < since + MOST_SECONDS:
            self._free.wait(since + MOST_SECONDS - now)

    def _is_second(self) -> bool:
        return getattr(self._second, "here", False)


#: Of this process: there is one lock on the interpreter, however many files are written.
COMMITS = Precedence()
