"""``GET /healthz``: whether pages, the store and agents work. Never contains data of sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lulu import __version__


class StoreHealth(Protocol):
    """The health of the store."""

    @property
    def ok(self) -> bool:
        """Whether the last write was committed."""

    @property
    def waiting(self) -> int:
        """The number of writes that are not committed yet."""

    @property
    def problem(self) -> Exception | None:
        """The error of the last write, or ``None``."""


def health_route(
    store_health: Callable[[], StoreHealth], agents_problem: Callable[[], Exception | None] = lambda: None
) -> Route:
    """Return the route. It answers 200 even in trouble, because pages are served and report it."""

    async def healthz(_: Request) -> JSONResponse:
        store = store_health()
        # Only the kind of the problem: its text may name files.
        problem = type(store.problem).__name__ if store.problem else None
        agents = agents_problem()
        failed = type(agents.__cause__ or agents).__name__ if agents else None
        content = {
            "status": "ok" if store.ok and agents is None else "degraded",
            "version": __version__,
            "store": {"ok": store.ok, "waiting": store.waiting, "problem": problem},
            "agents": {"ok": agents is None, "problem": failed},
        }
        return JSONResponse(content, headers={"cache-control": "no-store"})

    return Route("/healthz", healthz, methods=["GET"])
