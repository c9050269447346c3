"""Commits go first: whoever draws a page steps back while one is under way.

Python runs one thread at a time, and a thread that wants its turn waits up to 5 ms (``sys.getswitchinterval``) for one
that computes. A commit gives its turn away with each call into SQLite and asks for it again, some twenty times: beside
twenty pages that draw, one commit of 1.5 ms took 20 to 80 ms.
"""

from __future__ import annotations

import threading
import time

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

    def claim(self) -> None:
        """Go first from here on, until ``release``. Once more changes nothing."""
        now = time.monotonic()
        with self._lock:
            if self._free.is_set() and now >= self._again_at:
                self._since = now
                self._free.clear()

    def release(self) -> None:
        """Let everybody go on."""
        now = time.monotonic()
        with self._lock:
            if not self._free.is_set():
                self._again_at = now + min(now - self._since, MOST_SECONDS)
                self._free.set()

    def give_way(self) -> None:
        """Wait while somebody goes first. To be called often, between two pieces of work of a millisecond or less."""
        if not self._free.is_set() and (left := self._since + MOST_SECONDS - time.monotonic()) > 0:
            self._free.wait(left)


#: Of this process: there is one lock on the interpreter, however many files are written.
COMMITS = Precedence()
