"""The two lanes that tests run in side by side: those with the browser, one after another, and all others.

Two browsers at once would be slower than one after the other. And Playwright's event loop stays in the main thread of
its process: ``asyncio.run`` works there no more.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # it has no types

#: Folders and files of the browser's lane. What of them needs no browser runs there first.
BROWSER = ("tests/e2e/", "tests/ui/browser/", "tests/test_support.py")

#: Files of this checkout that only serve as locks: every test run in the checkout knows them.
_TURNSTILE = Path(__file__)
_ROOM = Path(__file__).with_name("conftest.py")


def lane_of(nodeid: str) -> str:
    """Return the lane of a test."""
    return "browser" if nodeid.startswith(BROWSER) else "no browser"


class Lanes(LoadScopeScheduling):  # type: ignore[misc] # as above
    """Gives each worker of pytest-xdist one lane."""

    def _split_scope(self, nodeid: str) -> str:
        return lane_of(nodeid)


@contextlib.contextmanager
def turn(*, alone: bool, room: Path = _ROOM, turnstile: Path = _TURNSTILE) -> Iterator[None]:
    """Wait for a test's turn: ``alone`` until no other test runs, else until none runs alone.

    Who waits to be alone keeps the turnstile, so that no other test begins meanwhile.
    """
    with room.open() as inside:
        with turnstile.open() as entry:
            fcntl.flock(entry, fcntl.LOCK_EX)
            fcntl.flock(inside, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
