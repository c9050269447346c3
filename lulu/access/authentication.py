"""Authenticate requests by the rows of ``access``, and notify the guard of changes. Knows no page."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator

import psutil
from starlette.types import Scope

from lulu import runtime
from lulu.access.addresses import Authority, bare_address, header_values, is_loopback, parse_origin
from lulu.access.cookies import GUEST_COOKIE, OWNER_COOKIE, cookie, read_tokens
from lulu.access.guard import Admission
from lulu.access.tokens import hash_of
from lulu.errors import LuluError
from lulu.model.actors import NOBODY, Actor, Role
from lulu.store import ACCESS, VISITORS, Access, AccessKind, Bus, Store
from lulu.store.write.access import LAN

#: The least seconds between two recorded visits of one credential.
_NOTE_EVERY = 60.0
#: The most rows in memory between two changes.
_MOST_KNOWN = 10_000
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


class RowDoor:
    """Authenticates requests by the rows of the running Lulu.

    Used in the server's loop; ``visitors`` and ``actor`` from any thread.
    """

    def __init__(self) -> None:
        self._known: dict[str, Access | None] = {}
        self._known_at = -1
        self._noted: dict[int, float] = {}
        self._visitors: Counter[int] = Counter()
        self._bus: Bus | None = None
        self._change = asyncio.Event()
        self._unsubscribe: Callable[[], None] = lambda: None

    # -- where from --------------------------------------------------------------------------------------------------

    @property
    def is_open_to_lan(self) -> bool:
        """Whether other computers may connect: ``LULU_LAN`` if it is set, or else the owner's switch."""
        lulu = runtime.current()
        if lulu.settings.lan is not None:
            return lulu.settings.lan == "on"
        return _lan_switch(lulu.store, lulu.store.bus.version(ACCESS))

    @property
    def public(self) -> Authority | None:
        """The address in ``LULU_PUBLIC_URL``, or ``None``."""
        url = runtime.current().settings.public_url
        return parse_origin(url) if url else None

    def own_names(self) -> frozenset[str]:
        """Return the addresses of this computer's interfaces, IPv6 in brackets."""
        return _own_names(int(time.monotonic() / 5))

    def is_here(self, scope: Scope) -> bool:
        """Whether the peer is this computer.

        False for a request with a proxy's header, because every peer of a proxy looks local.
        """
        peer = scope.get("client")
        if peer is None or any(name.lower() in _FORWARDED for name, _ in scope["headers"]):
            return False
        return self._is_own(peer[0])

    def is_shut_to(self, address: str) -> bool:
        """Whether connections from this address are refused before authentication.

        True also if the switch cannot be read.
        """
        if self._is_own(address):
            return False
        try:
            return not self.is_open_to_lan
        except LuluError:
            return True

    def _is_own(self, peer: str) -> bool:
        address = bare_address(peer)
        return is_loopback(address) or _as_host(address) in self.own_names()

    # -- who ---------------------------------------------------------------------------------------------------------

    def judge(self, scope: Scope) -> Admission | None:
        """Return the owner of an owner's cookie, or else the guest of the shares in the cookie, or ``None``."""
        store = runtime.current().store
        tokens = read_tokens(header_values(scope, b"cookie"))
        for token in tokens[OWNER_COOKIE]:
            row = self._row(store, token)
            if row is not None and row.role is Role.OWNER and row.is_valid:
                self._note(store, row)
                return Admission(
                    role=Role.OWNER,
                    access_ids=(row.id,),
                    expires_at=row.expires_at,
                    renewal=cookie(OWNER_COOKIE, token),
                )
        shares = [row for token in tokens[GUEST_COOKIE] if (row := self._row(store, token)) is not None]
        shares = [row for row in shares if row.known_kind is AccessKind.SHARE and row.is_valid]
        if not shares:
            return None
        for row in shares:
            self._note(store, row)
        ends = [row.expires_at for row in shares if row.expires_at is not None]
        return Admission(
            role=Role.GUEST, access_ids=tuple(row.id for row in shares), expires_at=min(ends) if ends else None
        )

    def actor(self, admission: Admission, session_id: str | None) -> Actor:
        """Return the current actor of an admission, from the rows as of their last change."""
        store = runtime.current().store
        version = store.bus.version(ACCESS)
        found = (_row_of(store, one, version) for one in admission.access_ids)
        rows = [row for row in found if row is not None and row.is_valid]
        if admission.role is Role.OWNER and rows and rows[0].role is Role.OWNER:
            return Actor(role=Role.OWNER, name=rows[0].label or "this computer", access_id=rows[0].id)
        shares = [row for row in rows if admission.role is Role.GUEST and row.role is Role.GUEST]
        wanted = [row for row in shares if row.session_id == session_id] or ([] if session_id else shares)
        if not wanted:
            return NOBODY
        row = max(wanted, key=lambda row: row.id)
        return Actor(role=Role.GUEST, name=row.label or "a guest", access_id=row.id, session_id=row.session_id)

    # -- changes and visitors ----------------------------------------------------------------------------------------

    async def changed(self) -> None:
        """Return at the next change of any row of ``access``."""
        bus = runtime.current().store.bus
        if bus is not self._bus:
            self._unsubscribe()
            loop = asyncio.get_running_loop()
            self._bus = bus
            self._unsubscribe = bus.subscribe(functools.partial(self._hear, loop))
        await self._change.wait()

    def _hear(self, loop: asyncio.AbstractEventLoop, topic: str, number: int) -> None:
        if topic == ACCESS:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        change, self._change = self._change, asyncio.Event()
        change.set()

    @contextlib.contextmanager
    def watching(self, scope: Scope, admission: Admission) -> Iterator[None]:
        """Count the credential's open pages while the context is open."""
        counted = admission.access_ids if scope["path"].endswith("/_stcore/stream") else ()
        bus = runtime.current().store.bus
        self._visitors.update(counted)
        bus.ring([VISITORS])
        try:
            yield
        finally:
            self._visitors.subtract(counted)
            bus.ring([VISITORS])

    def visitors(self, access_id: int) -> int:
        """Return the number of open pages with this credential."""
        return self._visitors[access_id]

    def _row(self, store: Store, token: str) -> Access | None:
        version = store.bus.version(ACCESS)
        if version != self._known_at or len(self._known) > _MOST_KNOWN:
            self._known, self._known_at = {}, version
        token_hash = hash_of(token)
        if token_hash not in self._known:
            self._known[token_hash] = store.access.by_hash(token_hash)
        return self._known[token_hash]

    def _note(self, store: Store, row: Access) -> None:
        now = time.monotonic()
        if now - self._noted.get(row.id, -_NOTE_EVERY) >= _NOTE_EVERY:
            self._noted[row.id] = now
            store.access.note_visit(row.id)


#: The authentication of this process.
door = RowDoor()


@functools.lru_cache(maxsize=1_000)
def _row_of(store: Store, access_id: int, version: int) -> Access | None:
    # Cached, because every part of every page asks. It also keeps a page working while the file cannot be read.
    return store.access.get(access_id)


@functools.lru_cache(maxsize=4)
def _lan_switch(store: Store, version: int) -> bool:
    return store.access.setting(LAN) == "on"


@functools.lru_cache(maxsize=1)
def _own_names(moment: int) -> frozenset[str]:
    # Interfaces change. To ask the system for every request would cost more than the rest of the guard.
    found = [one for some in psutil.net_if_addrs().values() for one in some]
    return frozenset(_as_host(bare_address(one.address)) for one in found if one.family.name in ("AF_INET", "AF_INET6"))


def _as_host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
