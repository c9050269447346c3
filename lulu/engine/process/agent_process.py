"""Hold one session's agent process: at most one at a time, and no message to a dying one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from lulu.engine.process.states import HEARS, ProcessState, moved
from lulu.engine.process.stop import TERMINATE_SECONDS

if TYPE_CHECKING:
    from lulu.agent.client import Agent

log = logging.getLogger(__name__)


class Process:
    """One session's agent, from its start to its end."""

    def __init__(self) -> None:
        self.state = ProcessState.GONE
        #: ``None`` before the start and after the agent was dropped.
        self.agent: Agent | None = None
        #: Held while a process is closing, because the next one reads the files that it writes at its end.
        self._leaving = asyncio.Lock()

    @property
    def is_leaving(self) -> bool:
        """Whether a dropped process is still closing."""
        return self._leaving.locked()

    @property
    def reachable(self) -> Agent | None:
        """The agent if it reads messages now, or ``None``."""
        return self.agent if self.state in HEARS else None

    def move(self, target: ProcessState) -> None:
        """Change the state, if that move is allowed."""
        self.state = moved(self.state, target)

    async def start(self, connect: Callable[[], Awaitable[Agent]], starts: asyncio.Semaphore) -> Agent:
        """Start the next process after the last one has ended, within the limit ``starts``.

        Raises what ``connect`` raises.
        """
        async with self._leaving, starts:
            self.move(ProcessState.STARTING)
            try:
                return await connect()
            except BaseException:
                self.move(ProcessState.GONE)
                raise

    async def start_unless(
        self, stopped: asyncio.Event, connect: Callable[[], Awaitable[Agent]], starts: asyncio.Semaphore
    ) -> Agent | None:
        """Start the agent and return it, or ``None`` if ``stopped`` is set first.

        Raises what ``start`` raises.
        """
        starting = asyncio.create_task(self.start(connect, starts))
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            stopping.cancel()
            return starting.result()
        starting.cancel()
        await asyncio.wait({starting})
        return None

    def take(self, agent: Agent) -> None:
        """Make this the session's agent."""
        self.agent = agent
        self.move(ProcessState.IDLE)

    def lose(self) -> None:
        """Record that the process has ended, by itself or by force."""
        self.agent = None
        self.move(ProcessState.GONE)

    def to_end(self) -> Agent | None:
        """Return the agent in order to end it. No message is sent to it from now on."""
        self.move(ProcessState.DYING)
        return self.agent

    async def drop(self) -> bool:
        """Drop the agent and end its process. Return whether there was one."""
        agent, self.agent = self.to_end(), None
        if agent is None:
            return False
        async with self._leaving:
            try:
                await asyncio.wait_for(agent.disconnect(), TERMINATE_SECONDS)
            except Exception as exc:
                log.warning("an agent process (%s) did not close: %s", agent.pid, exc)
            agent.kill()
            self.move(ProcessState.GONE)
        return True
