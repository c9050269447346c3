"""What the silence of a session's agent means: a stall that is told, or a turn whose end was never said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from lulu.agent import Translation
from lulu.engine.turns import Turn
from lulu.settings import Settings


class Silence:
    """When the agent was last heard or spoken to."""

    def __init__(self, settings: Settings, end: Callable[[Turn | None], object]) -> None:
        self._settings = settings
        self._end = end
        self._heard = time.monotonic()
        self._is_told = False
        self._overdue: asyncio.TimerHandle | None = None

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self._heard

    def hear(self) -> None:
        """It is over."""
        self._heard = time.monotonic()
        self._is_told = False

    def is_news(self) -> bool:
        """Whether it has lasted long enough to be told, and was not told yet; asked once, it counts as told."""
        if self._is_told or self.seconds < self._settings.stall_seconds:
            return False
        self._is_told = True
        return True

    def await_end(self, said: Translation, turn: Turn | None, *, owes_idle: bool) -> None:
        """A turn whose agent says that it is idle, and then nothing more, is over: its result never comes.

        ``turn`` is the one that is still open after ``said``. Without one it is the word "idle" that never comes.
        """
        if self._overdue is not None and (turn is None or said.is_init or said.state is not None):
            self._overdue.cancel()
            self._overdue = None
        if turn is not None:
            turn.has_begun = turn.has_begun or said.is_init or said.state == "running"
        is_last = owes_idle if turn is None else said.state == "idle" and turn.has_begun
        if is_last:
            pause = self._settings.result_seconds
            self._overdue = asyncio.get_running_loop().call_later(pause, self._end, turn)
