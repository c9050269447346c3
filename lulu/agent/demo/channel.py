"""The connection between the demo agent and the SDK: frames out, questions out, answers in."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

from lulu.agent.demo import frames
from lulu.agent.demo.frames import Frame

#: The number of unread frames at which a turn waits for its reader, as the CLI does at a full pipe.
HIGH_WATER = 256


class QuestionFailed(Exception):
    """The SDK could not answer: no callback is registered, or it raised."""


class Channel:
    """One connection. All methods belong to the loop that reads it."""

    def __init__(self) -> None:
        self._unread: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._open_questions: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._failure: Exception | None = None

    def post(self, frame: Frame) -> None:
        """Send a frame immediately, without waiting for the reader."""
        self._unread.put_nowait(frame)
        if self._unread.qsize() >= HIGH_WATER:
            self._has_room.clear()

    async def send(self, frame: Frame) -> None:
        """Send a frame, after waiting for a slow reader."""
        await self._has_room.wait()
        self.post(frame)

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a question to the SDK and return its answer. Raises ``QuestionFailed``."""
        request_id = f"demo_{next(self._numbers)}"
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._open_questions[request_id] = answer
        self.post(frames.control_request(request_id, request))
        try:
            response = await answer
        except asyncio.CancelledError:
            if self._open_questions.pop(request_id, None):
                self.post(frames.control_cancel(request_id))
            raise
        if response.get("subtype") == "error":
            raise QuestionFailed(str(response.get("error")))
        return dict(response.get("response") or {})

    def answer(self, response: Mapping[str, Any]) -> None:
        """Take a ``control_response`` of the SDK. An unexpected one is ignored."""
        waiting = self._open_questions.pop(str(response.get("request_id")), None)
        if waiting and not waiting.done():
            waiting.set_result(dict(response))

    def withdraw(self) -> None:
        """Withdraw every open question."""
        for request_id, waiting in list(self._open_questions.items()):
            del self._open_questions[request_id]
            self.post(frames.control_cancel(request_id))
            waiting.cancel()

    def close(self, failure: Exception | None = None) -> None:
        """End ``frames()`` after the sent ones; ``failure`` is raised there, as after a dead process."""
        self._failure = failure
        self._unread.put_nowait(None)
        self._has_room.set()

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield every frame in order, until ``close``."""
        while (frame := await self._unread.get()) is not None:
            if self._unread.qsize() < HIGH_WATER:
                self._has_room.set()
            yield frame
        if self._failure:
            raise self._failure
