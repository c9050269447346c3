"""Interpret the silence of a session's agent: a stall, or a missing end of a turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from lulu.agent import Translation
from lulu.engine.turns import Turn
from lulu.settings import Settings


class Silence:
    """The time since the agent's last output or input."""

    def __init__(self, settings: Settings, end: Callable[[Turn | None], object]) -> None:
        self._settings = settings
        self._end = end
        self._heard = time.monotonic()
        self._is_told = False
        self._overdue: asyncio.TimerHandle | None = None

    @property
    def seconds(self) -> float:
        """The length of the silence, in seconds."""
        return time.monotonic() - self._heard

    def hear(self) -> None:
        """End the silence."""
        self._heard = time.monotonic()
        self._is_told = False

    def is_news(self) -> bool:
        """Whether the silence is long enough to report and was not reported yet. True only once."""
        if self._is_told or self.seconds < self._settings.stall_seconds:
            return False
        self._is_told = True
        return True

    def await_end(self, said: Translation, turn: Turn | None, *, owes_idle: bool) -> None:
        """End a turn later if its agent says that it is idle and then nothing more. Its result is missing.

        ``turn`` is the turn that is still open after ``said``. Without a turn, the missing word is "idle".
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
