"""A tiny app behind Lulu's guard, for the browser tests: what is tested is the guard, the bell and the text."""

import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lulu.access.guard import Guard
from lulu.server.push.doorbell import Doorbell
from lulu.server.routes.health import health_route
from tests.doors import OpenDoor
from tests.e2e.edge import stage

doorbell = Doorbell(lambda: stage.bus, words=lambda kind, session_id: {})


async def say(request: Request) -> JSONResponse:
    """Store a line and ring, as the writer does after a commit; without a text, only ring."""
    if text := request.query_params.get("text"):
        stage.lines.append(text)
    for _ in range(int(request.query_params.get("times", "1"))):
        stage.bus.ring(request.query_params.getlist("topic"))
    return JSONResponse(
        {"bells": doorbell.open, "runs": stage.runs, "lines": len(stage.lines), "said": stage.lines[-50:]}
    )


@contextlib.asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Say when pages can be served and when the server stops."""
    yield
    doorbell.close_all()


app = st.App(
    "page.py",
    lifespan=lifespan,
    routes=[
        Route("/say", say),
        doorbell.route,
        health_route(lambda: SimpleNamespace(ok=True, waiting=0, problem=None)),
    ],
    middleware=[Middleware(Guard, door=OpenDoor())],
)
