"""What Lulu takes: many agents at once, many pages one after another, many updates on one page."""

from __future__ import annotations

import time

from playwright.sync_api import Page

from scripts.bench.figures import Figure, middle, percentile, row
from scripts.bench.protocol import ProtocolViewer
from scripts.bench.stage import Stage, first_seen, memory_mb, run, settle
from scripts.bench.transcripts import last_words
from tests.support import LuluServer

_AGENTS, _RATE, _SECONDS = 20, 50, 60
#: Pages opened one after another; the first ones fill what is filled once.
_OPENS, _WARM_OPENS = 1_000, 200
#: Live updates on one page, and texts a second that one page gets.
_UPDATES, _UPDATE_RATE = 36_000, 100


@row("load")
def load(stage: Stage) -> list[Figure]:
    """20 demo agents, 50 texts a second each, for a minute."""
    server = stage.new_server()
    stage.ask("start", server, prompt="fast 20", count=2)
    _wait_for_end(stage, server, most_seconds=60)
    stage.ask("numbers", server, clear=True)
    before = memory_mb(server.pid)
    ids = stage.ask("start", server, prompt=f"bench:{_RATE}:{_SECONDS}", count=_AGENTS)["ids"]
    began = time.perf_counter()
    most = _wait_for_end(stage, server, most_seconds=5 * _SECONDS)
    took = time.perf_counter() - began
    said = stage.ask("numbers", server, ids=ids)
    server.close()
    wanted = _AGENTS * _RATE * _SECONDS
    return [
        Figure(what=f"texts stored of {wanted:,}, from 20 agents", value=sum(said["texts"]), unit="", least=wanted),
        Figure(what="seconds for them, at 50 a second each", value=took, unit="s", note=f"{_SECONDS} s by the clock"),
        Figure(what="commit, p99", value=percentile(said["commits"], 99), unit="ms", most=250),
        Figure(what="commit, median", value=percentile(said["commits"], 50), unit="ms"),
        Figure(what="memory growth of the server meanwhile", value=most - before, unit="MB", most=200),
    ]


def _wait_for_end(stage: Stage, server: LuluServer, *, most_seconds: float) -> float:
    """Wait until no agent is at work; the most memory that the server held meanwhile (MB)."""
    most, began = 0.0, time.perf_counter()
    while stage.ask("numbers", server)["live"] and time.perf_counter() - began < most_seconds:
        most = max(most, memory_mb(server.pid))
        time.sleep(1)
    return most


@row("start")
def start(stage: Stage) -> list[Figure]:
    """How soon Lulu answers again after a kill."""
    server = stage.new_server()
    stage.ask("fill", server, tag="start", events=10_000)
    times = []
    for _ in range(stage.rounds):
        server.kill9()
        times.append(server.start())
    server.close()
    return [Figure(what="start after a kill → /healthz answers, 10,000 events", value=middle(times), unit="s", most=3)]


@row("end")
def end(stage: Stage) -> list[Figure]:
    """How soon Lulu is gone when it is asked to end while agents write."""
    server = stage.new_server()
    times = []
    for _ in range(stage.rounds):
        stage.ask("start", server, prompt=f"bench:{_RATE}:{_SECONDS}", count=_AGENTS)
        times.append(server.terminate())
        server.start()
    server.close()
    return [Figure(what=f"SIGTERM → gone, {_AGENTS} agents at work, the slowest", value=max(times), unit="s", most=10)]


@row("opens")
def opens(stage: Stage) -> list[Figure]:
    """The server's memory over 1,000 page opens."""
    server = stage.new_server()
    session_id = stage.ask("fill", server, tag="opens", events=1_000)["id"]

    async def look(count: int) -> None:
        for _ in range(count):
            async with ProtocolViewer(server.url, f"/session?id={session_id}", server.sign_in()):
                pass

    run(look(_WARM_OPENS))
    before = memory_mb(server.pid)
    run(look(_OPENS))
    growth = (memory_mb(server.pid) / before - 1) * 100
    server.close()
    return [
        Figure(
            what="memory of the server over 1,000 page opens",
            value=growth,
            unit="%",
            most=5,
            note=f"after {_WARM_OPENS} to warm up: {before:.0f} MB",
        )
    ]


@row("heap")
def heap(stage: Stage) -> list[Figure]:
    """The browser's heap after a session of 10,000 events and 36,000 updates of it (takes minutes)."""
    server = stage.new_server()
    session_id = stage.ask("fill", server, tag="heap", events=10_000, status="running")["id"]
    with stage.page(server) as page:
        page.goto(f"{server.url}/session?id={session_id}")
        first_seen(page, last_words("heap"))
        settle(page)
        before = _heap_mb(page)
        stage.ask("chatter", server, id=session_id, count=_UPDATES, rate=_UPDATE_RATE)
        first_seen(page, f"update {_UPDATES - 1};")
        settle(page)
        after = _heap_mb(page)
    server.close()
    what = f"browser's heap after 10,000 events and {_UPDATES:,} more, {_UPDATE_RATE} a second"
    return [Figure(what=what, value=after, unit="MB", most=100, note=f"{before:.0f} MB before")]


def _heap_mb(page: Page) -> float:
    """What the page holds once nothing is left to be collected (MB)."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / 1e6
