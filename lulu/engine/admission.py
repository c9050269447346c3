"""Decide whether a session's next prompt has to wait for its folder. Lives on the host's loop.

The folder is inspected before every prompt, in a thread beside the loop. So a large folder, or one that does not
answer, delays its own sessions only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lulu.engine.recorder import done
from lulu.engine.resume import verdict_on
from lulu.errors import SessionNotFound
from lulu.settings import Settings
from lulu.store import Store
from lulu.trust.answers import Verdict

#: Seconds until the folder of a waiting session is inspected again. It may be unchanged by then, or answer again.
LOOK_AGAIN = 10.0


class Admission:
    """The inspections of one loop."""

    def __init__(self, store: Store, settings: Settings, changed: Callable[[], None]) -> None:
        self._store = store
        self._settings = settings
        #: Called when ``waits`` may have another answer.
        self._changed = changed
        #: The inspection of each session. It is used once, right after it has ended.
        self._looks: dict[str, asyncio.Task[Verdict]] = {}
        self._again: asyncio.TimerHandle | None = None

    async def waits(self, session_id: str) -> bool:
        """Whether a prompt has to wait, for an inspection or for the owner's answer. Asks the owner if needed.

        Called before each prompt, because each may start a process, and a running process reads changed settings.
        """
        look = self._looks.get(session_id)
        if look is None:
            try:
                session = self._store.sessions.get(session_id)
            except SessionNotFound:
                return False
            look = asyncio.create_task(verdict_on(self._store, self._settings, session))
            look.add_done_callback(lambda _: self._changed())
            self._looks[session_id] = look
        if not look.done():
            return True
        del self._looks[session_id]
        verdict = look.result()
        if verdict.asked:
            await done(self._store.folders.ask(session_id, verdict.asked))
            self._plan()
        return bool(verdict.asked)

    def forget(self, session_id: str) -> None:
        """Drop a finished inspection, because it will be out of date or the session is deleted."""
        look = self._looks.get(session_id)
        if look is not None and look.done():
            del self._looks[session_id]

    async def close(self) -> None:
        """Cancel the timer and all inspections."""
        if self._again is not None:
            self._again.cancel()
        for look in self._looks.values():
            look.cancel()
        await asyncio.gather(*self._looks.values(), return_exceptions=True)

    def _plan(self) -> None:
        def again() -> None:
            self._again = None
            self._changed()

        if self._again is None:
            self._again = asyncio.get_running_loop().call_later(LOOK_AGAIN, again)
