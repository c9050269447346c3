"""``GET /healthz``: what a supervisor learns, and what nobody learns."""

from __future__ import annotations

from types import SimpleNamespace

from starlette.applications import Starlette
from starlette.testclient import TestClient

from lulu import __version__
from lulu.errors import AgentError, StoreBusy
from lulu.server.routes.health import health_route


def _ask(agents: Exception | None = None, **store: object) -> tuple[int, dict[str, object]]:
    health = SimpleNamespace(**{"ok": True, "waiting": 0, "problem": None, **store})
    answer = TestClient(Starlette(routes=[health_route(lambda: health, lambda: agents)])).get("/healthz")
    return answer.status_code, answer.json()


def test_a_lulu_that_serves_pages_is_healthy() -> None:
    assert _ask() == (
        200,
        {
            "status": "ok",
            "version": __version__,
            "store": {"ok": True, "waiting": 0, "problem": None},
            "agents": {"ok": True, "problem": None},
        },
    )


def test_a_store_in_trouble_is_told_without_its_data() -> None:
    problem = StoreBusy("The disk of /home/somebody/secret is full.")

    status, told = _ask(ok=False, waiting=12, problem=problem)

    assert (status, told["status"]) == (200, "degraded")
    assert told["store"] == {"ok": False, "waiting": 12, "problem": "StoreBusy"}


def test_agents_that_cannot_be_run_are_told_without_the_reason_s_words() -> None:
    problem = AgentError("Lulu cannot run agents now (OSError: /home/somebody/secret).")
    problem.__cause__ = OSError(24, "Too many open files", "/home/somebody/secret")

    status, told = _ask(problem)

    assert (status, told["status"]) == (200, "degraded")
    assert told["store"] == {"ok": True, "waiting": 0, "problem": None}
    assert told["agents"] == {"ok": False, "problem": "OSError"}
