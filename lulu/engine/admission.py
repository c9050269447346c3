"""Whether a session's next prompt has to wait: its folder is looked at ahead of every prompt, beside the host's loop,
so that a folder that is large or does not answer holds up nobody else. Lives on the host's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lulu.engine.recorder import done
from lulu.engine.resume import verdict_on
from lulu.errors import SessionNotFound
from lulu.settings import Settings
from lulu.store import Store
from lulu.trust.answers import Verdict

#: How often the folder of a session that waits is looked at again: it may be as it was, or answer again (seconds).
LOOK_AGAIN = 10.0


class Admission:
    """The looks of one loop."""

    def __init__(self, store: Store, settings: Settings, changed: Callable[[], None]) -> None:
        self._store = store
        self._settings = settings
        #: Called when it is worth asking again.
        self._changed = changed
        #: By session; each is used once, right after it has ended.
        self._looks: dict[str, asyncio.Task[Verdict]] = {}
        self._again: asyncio.TimerHandle | None = None

    async def waits(self, session_id: str) -> bool:
        """Whether its prompt has to wait, for a look or for its owner's answer, who is asked then.

        Each prompt may start a process, and a process that runs reads settings that change.
        """
        look = self._looks.get(session_id)
        if look is None:
            try:
                session = self._store.get_session(session_id)
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
            await done(self._store.ask_about_folder(session_id, verdict.asked))
            self._plan()
        return bool(verdict.asked)

    def forget(self, session_id: str) -> None:
        """What was found is old by the time that it can be used, or the session is gone."""
        look = self._looks.get(session_id)
        if look is not None and look.done():
            del self._looks[session_id]

    async def close(self) -> None:
        """End with the loop."""
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
