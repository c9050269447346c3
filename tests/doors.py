"""Doors for tests of the guard and of what stands behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from starlette.types import Scope

from lulu.access.addresses import Authority, is_loopback
from lulu.access.guard import Admission
from lulu.model.actors import Role

OWNER = Admission(role=Role.OWNER, access_ids=(1,))


@dataclass
class OpenDoor:
    """Lets everybody in as ``admission`` says; another computer only while ``is_open_to_lan``."""

    admission: Admission | None = OWNER
    is_open_to_lan: bool = False
    public: Authority | None = None
    names: frozenset[str] = frozenset()
    #: Sockets that are open.
    open: int = 0
    _change: asyncio.Event | None = field(default=None, repr=False)

    def own_names(self) -> frozenset[str]:
        """The addresses of this computer."""
        return self.names

    def is_here(self, scope: Scope) -> bool:
        """Whether the asker is this computer."""
        peer = scope.get("client")
        return peer is not None and is_loopback(peer[0])

    def judge(self, scope: Scope) -> Admission | None:
        """Who asks."""
        return self.admission

    async def changed(self) -> None:
        """Returns after ``change``."""
        self._change = self._change or asyncio.Event()
        await self._change.wait()
        self._change = None

    def change(self) -> None:
        """Have every socket judged again."""
        if self._change is not None:
            self._change.set()

    @contextlib.contextmanager
    def watching(self, scope: Scope, admission: Admission) -> Iterator[None]:
        """Counts the sockets."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1
