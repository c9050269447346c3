"""``GET /healthz``: whether pages can be served and the store takes writes. Tells numbers and words, never data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lulu import __version__


class StoreHealth(Protocol):
    """What is asked of the store."""

    @property
    def ok(self) -> bool:
        """Whether the last write was committed."""

    @property
    def waiting(self) -> int:
        """How many writes are not committed yet."""

    @property
    def problem(self) -> Exception | None:
        """What keeps them from it."""


def health_route(
    store_health: Callable[[], StoreHealth], agents_problem: Callable[[], Exception | None] = lambda: None
) -> Route:
    """The route. It answers 200 also while something is in trouble: pages are served and say so."""

    async def healthz(_: Request) -> JSONResponse:
        store = store_health()
        # The kind of the problem only: its text may name files.
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
