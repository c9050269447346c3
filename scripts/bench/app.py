"""Lulu with a few more routes, with which a measurement fills the store, starts agents and reads numbers.

Served in the place of ``lulu_app.py`` and nowhere else; everything that is measured is Lulu's own.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import lulu_app
from lulu import runtime
from lulu.access.authentication import door
from lulu.access.cookies import GUEST_COOKIE
from lulu.access.guard import Guard
from lulu.access.tokens import hash_of, new_token
from lulu.agent import PermissionAnswer, PermissionRequest
from lulu.engine.permissions import Asking
from lulu.model.actors import Actor, Role
from lulu.model.commands import SendPrompt, StartSession
from lulu.model.events import Error, Result, Text, ToolResult, ToolUse
from lulu.model.sessions import Launch, SessionStatus, new_session_id
from lulu.server.guests.proxy import Relay
from lulu.server.routes import login
from lulu.server.routes.health import health_route
from lulu.server.setup import served
from lulu.store import Change, LiveText, Query, Recorded, ShareOptions
from lulu.store.parts.events import Events
from lulu.ui.views.search import STEP
from scripts.bench.transcripts import last_words, sentences, transcript
from tests.support import ROOT

_SOMEBODY = Actor(role=Role.OWNER, name="this computer")
#: Events that one transaction of ``fill`` takes.
_BATCH = 500

#: For each commit that an agent waited for: milliseconds from the hand-over to the commit.
_commits: list[float] = []
#: For each session, what stood in its live text and when it was committed (seconds since the epoch).
_written: dict[str, list[tuple[str, float]]] = {}

_record = Events.record


def _timed(events: Events, change: Change) -> Future[Recorded]:
    began = time.perf_counter()
    future = _record(events, change)

    def note(_: Future[Recorded]) -> None:
        _commits.append((time.perf_counter() - began) * 1000)
        if change.live is not None:
            _written.setdefault(change.session_id, []).append((change.live.text[-40:], time.time()))

    future.add_done_callback(note)
    return future


Events.record = _timed  # type: ignore[method-assign,assignment]  # the one seam through which agents write


#: For each request: when the SDK's callback got it, and when that had its answer (seconds since the epoch).
_asked: dict[str, list[float]] = {}

_ask = Asking.ask


async def _noted(self: Asking, request: PermissionRequest) -> PermissionAnswer:
    _asked[request.id] = [time.time()]
    answer = await _ask(self, request)
    _asked[request.id].append(time.time())
    return answer


Asking.ask = _noted  # type: ignore[method-assign]  # what the SDK's callback calls


def fill(wanted: dict[str, Any]) -> dict[str, Any]:
    """A session with a transcript of so many events, finished unless another status is wanted."""
    store = runtime.current().store
    tag = str(wanted["tag"])
    events = list(transcript(tag, int(wanted["events"])))
    status = SessionStatus(wanted.get("status", SessionStatus.COMPLETED))
    session_id = store.sessions.insert(_launch(f"The session {tag}"), status=status)
    for start in range(0, len(events), _BATCH):
        store.events.append(session_id, events[start : start + _BATCH])
    return {"id": session_id}


def crowd(wanted: dict[str, Any]) -> dict[str, Any]:
    """So many small finished sessions."""
    store = runtime.current().store
    for number in range(int(wanted["count"])):
        launch = _launch(f"Session {number} of a crowd: look into the invoices of month {number % 12}")
        session_id = store.sessions.insert(launch, status=SessionStatus.COMPLETED)
        store.events.append(session_id, [Text(content=last_words(f"the crowd's {number}"))])
    return {}


def library(wanted: dict[str, Any]) -> dict[str, Any]:
    """So many events of one sentence each, in sessions of a thousand; ten of them hold the word ``rare``."""
    store = runtime.current().store
    total = int(wanted["events"])
    for first in range(0, total, 1_000):
        session_id = store.sessions.insert(_launch(f"Shelf {first // 1_000}"), status=SessionStatus.COMPLETED)
        said = [Text(content=text) for text in sentences(f"shelf {first}", 1_000)]
        if first % (total // 10) == 0:
            said[500] = Text(content=f"Nobody expects the {wanted['rare']} here.")
        for start in range(0, len(said), _BATCH):
            store.events.append(session_id, said[start : start + _BATCH])
    return {}


def look(wanted: dict[str, Any]) -> dict[str, Any]:
    """Search so many times. The answer: the milliseconds that each took."""
    took = []
    for _ in range(int(wanted["times"])):
        began = time.perf_counter()
        runtime.current().store.search.find(Query(text=wanted["text"]), limit=STEP)
        took.append((time.perf_counter() - began) * 1000)
    return {"took": took}


def stage(_: dict[str, Any]) -> dict[str, Any]:
    """A session that runs without an agent: ``append`` speaks in its place."""
    return {"id": runtime.current().store.sessions.insert(_launch("A stage"), status=SessionStatus.RUNNING)}


def append(wanted: dict[str, Any]) -> dict[str, Any]:
    """Say one text. The answer: when that was committed, and the milliseconds it took."""
    began = time.perf_counter()
    runtime.current().store.events.insert(wanted["id"], Text(content=wanted["text"], parent=wanted.get("parent")))
    return {"committed": time.time(), "took": (time.perf_counter() - began) * 1000}


def call(wanted: dict[str, Any]) -> dict[str, Any]:
    """Use one tool, after a word. The answer: when that was committed."""
    used = ToolUse(id=f"call_{time.monotonic_ns()}", name="Bash", input={"command": wanted["text"]})
    runtime.current().store.events.append(
        wanted["id"], [Text(content="Next."), used, ToolResult(tool_use_id=used.id, content="ok")]
    )
    return {"committed": time.time()}


def write(wanted: dict[str, Any]) -> dict[str, Any]:
    """Write at a text, as an agent does. The answer: when that was committed."""
    live = LiveText(message_id="m", kind=Text.type, text=wanted["text"], updated_at=datetime.now(UTC))
    runtime.current().store.events.record(Change(session_id=wanted["id"], live=live)).result()
    return {"committed": time.time()}


def finish(wanted: dict[str, Any]) -> dict[str, Any]:
    """Finish the text that is being written."""
    said = Text(content=wanted["text"], message_id="m")
    runtime.current().store.events.record(Change(session_id=wanted["id"], events=[said], clear_live=True)).result()
    return {"committed": time.time()}


def end(wanted: dict[str, Any]) -> dict[str, Any]:
    """End the turn: well, or as ``how`` says."""
    store, how = runtime.current().store, wanted.get("how")
    if how == "fails":
        store.events.insert(wanted["id"], Error(message="The API answered with an error."))
    elif how == "stops":
        store.events.insert(wanted["id"], Text(content="It was saying", partial=True))
    reason = {"fails": "api_error", "stops": "aborted_streaming"}.get(str(how))
    result = Result(duration_ms=1, is_error=how == "fails", terminal_reason=reason)
    status = SessionStatus.FAILED if how == "fails" else SessionStatus.COMPLETED
    change = Change(session_id=wanted["id"], events=[result], status=status, clear_live=True, duration_ms=1)
    _record(store.events, change).result(60)
    return {}


def share(wanted: dict[str, Any]) -> dict[str, Any]:
    """Share a session, and return the cookie of a guest and the id of the link."""
    token = new_token()
    access = runtime.current().store.access.share(
        _SOMEBODY, wanted["id"], hash_of(token), expires_at=None, options=ShareOptions(), label="guests"
    )
    return {"cookie": f"{GUEST_COOKIE}={token}", "access": access.id}


def revoke(wanted: dict[str, Any]) -> dict[str, Any]:
    """End a link."""
    runtime.current().store.access.revoke(_SOMEBODY, wanted["access"])
    return {}


def chatter(wanted: dict[str, Any]) -> dict[str, Any]:
    """Say so many texts, so many a second."""
    store = runtime.current().store
    began = time.monotonic()
    for number in range(int(wanted["count"])):
        time.sleep(max(0.0, began + number / wanted["rate"] - time.monotonic()))
        store.events.insert(wanted["id"], Text(content=f"This is update {number}; with **some** words and `code`."))
    return {"seconds": time.monotonic() - began}


def start(wanted: dict[str, Any]) -> dict[str, Any]:
    """Start so many demo agents with one prompt."""
    store = runtime.current().store
    ids = [new_session_id() for _ in range(int(wanted["count"]))]
    for session_id in ids:
        launch = _launch(wanted["prompt"], permission_mode="bypassPermissions")
        store.commands.submit(StartSession(actor=_SOMEBODY, session_id=session_id, launch=launch))
    return {"ids": ids}


def prompt(wanted: dict[str, Any]) -> dict[str, Any]:
    """Send a prompt to a session."""
    command = SendPrompt(actor=_SOMEBODY, session_id=wanted["id"], text=wanted["text"])
    return {"command": runtime.current().store.commands.submit(command)}


def requests(_: dict[str, Any]) -> dict[str, Any]:
    """When each request came to the SDK's callback, and when its answer did."""
    return _asked


def numbers(wanted: dict[str, Any]) -> dict[str, Any]:
    """What was noted since the last call, and how many texts are stored of these sessions."""
    store = runtime.current().store
    ids = list(wanted.get("ids", []))
    said: dict[str, Any] = {
        "commits": list(_commits) if ids else [],
        "written": {session_id: _written.get(session_id, []) for session_id in ids},
        "texts": [store.events.count(session_id, "text") for session_id in ids],
        "live": [session.id for session in store.sessions.live()],
    }
    if wanted.get("clear"):
        _commits.clear()
        _written.clear()
    return said


def _launch(prompt: str, permission_mode: str = "default") -> Launch:
    folder = str(runtime.current().settings.working_directory)
    return Launch(prompt=prompt, working_directory=folder, agent="demo", permission_mode=permission_mode)


_JOBS = {
    job.__name__: job
    for job in (
        *(fill, crowd, library, look, stage, append, call, write, finish, end, share, revoke),
        *(chatter, start, prompt, requests, numbers),
    )
}


async def bench(request: Request) -> JSONResponse:
    """Do one of the jobs above."""
    job = _JOBS[request.path_params["job"]]
    return JSONResponse(await run_in_threadpool(job, json.loads(await request.body())))


app = st.App(
    str(ROOT / "lulu" / "ui" / "main.py"),
    lifespan=served(
        door.is_shut_to,
        lulu_app.guests.beside(lambda app: runtime.serving(lulu_app.address.here, lulu_app.link, lulu_app.stopping)),
    ),
    routes=[
        *login.ROUTES,
        lulu_app.bell.route,
        health_route(lambda: runtime.current().store.health),
        Route("/bench/{job}", bench, methods=["POST"]),
    ],
    middleware=[Middleware(Guard, door=door), Middleware(Relay, guests=lulu_app.guests), *lulu_app.pages],
)
