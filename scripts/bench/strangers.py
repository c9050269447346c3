"""How long the owner waits while strangers hold half a request each, and how long a guest stays after the link.

``python -m scripts.bench.strangers PORT COUNT`` is the strangers: a process of their own, which opens again whatever is
closed until its input ends.
"""

from __future__ import annotations

import asyncio
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from scripts.bench.figures import Figure, middle, row
from scripts.bench.protocol import ProtocolViewer
from scripts.bench.stage import Stage, first_seen, run, settle
from tests.support import ROOT

_COUNT = 2_000
_HALF = b"GET / HTTP/1.1\r\nX: "
#: So long (seconds) the server waits for the rest.
_LASTS = 10
#: Each of these is asked on a connection of its own.
_ASKED = 20
_HOME = "What should the agent do?"


@row("strangers")
def strangers(stage: Stage) -> list[Figure]:
    """The owner's page while 2,000 half-open connections are held, and opened again as their time ends."""
    server = stage.new_server()
    cookie = server.sign_in()
    alone = [_ask(server.url, cookie) for _ in range(_ASKED)]
    with _siege(server.port):
        asked = [_ask(server.url, cookie) for _ in range(_ASKED)]
        loads = []
        for _ in range(stage.rounds):
            with stage.page(server) as page:
                page.goto(server.url, wait_until="commit")
                first_seen(page, _HOME)
                settle(page)
                page.reload(wait_until="commit")
                loads.append(first_seen(page, _HOME))
    return [
        Figure(what="nobody else: the owner's request, longest of 20", value=max(alone), unit="ms"),
        Figure(
            what="2,000 half-open connections: the owner's request, longest of 20",
            value=max(asked),
            unit="ms",
            most=1_000,
        ),
        Figure(what="2,000 half-open connections: home, reload", value=middle(loads), unit="ms"),
    ]


@row("revoke")
def revoke(stage: Stage) -> list[Figure]:
    """How soon a guest's page is cut off when its link is revoked."""
    server = stage.new_server()
    session_id = stage.ask("stage", server)["id"]
    path = f"/?id={session_id}"

    async def stay() -> float:
        shared = await asyncio.to_thread(stage.ask, "share", server, id=session_id)
        async with ProtocolViewer(server.url, path, shared["cookie"]) as guest:
            began = time.perf_counter()
            await asyncio.to_thread(stage.ask, "revoke", server, access=shared["access"])
            await guest.wait_closed()
            return time.perf_counter() - began

    times = [run(stay()) for _ in range(stage.rounds)]
    server.close()
    return [Figure(what="a link is revoked → its guest is cut off, the slowest", value=max(times), unit="s", most=2)]


def _ask(url: str, cookie: str) -> float:
    began = time.perf_counter()
    httpx.get(url, headers={"Cookie": cookie}, timeout=60, trust_env=False).raise_for_status()
    return (time.perf_counter() - began) * 1_000


@contextmanager
def _siege(port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "scripts.bench.strangers", str(port), str(_COUNT)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None or process.stdout.readline().strip() != "ready":
            raise RuntimeError("The strangers did not come.")
        yield
    finally:
        process.communicate(timeout=60)


def _hold(port: int, count: int) -> None:
    """Hold so many until the input ends; each is opened again when its ten seconds are over, or when it was closed."""
    watched = select.epoll()
    peers: dict[int, socket.socket] = {}
    is_told = False
    while not select.select([sys.stdin], [], [], 0)[0]:
        for number, _ in watched.poll(0.01) if peers else ():
            peers.pop(number).close()
        # As many a second as end by themselves; all of them at first.
        for _ in range(min(count - len(peers), count // _LASTS // 100 + 1) if is_told else count):
            with suppress(OSError):
                peer = socket.create_connection(("127.0.0.1", port), timeout=10)
                peer.sendall(_HALF)
                peers[peer.fileno()] = peer
                watched.register(peer, select.EPOLLIN | select.EPOLLRDHUP)
        if not is_told:
            is_told = True
            print("ready", flush=True)
        time.sleep(0.01)


if __name__ == "__main__":
    _hold(int(sys.argv[1]), int(sys.argv[2]))
