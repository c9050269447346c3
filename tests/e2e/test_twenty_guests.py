"""Twenty guests of one live session, a real browser among them: all see its last event and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import expect

from scripts.bench.protocol import ProtocolViewer
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.support import ROOT, LuluServer, eventually, process_tree

#: Those without a browser.
OTHERS = 19
#: Two cores may be busy with others (seconds).
PATIENCE = 60


def ask(server: LuluServer, job: str, **wanted: object) -> Any:
    """Have one of the jobs of ``scripts/bench/app.py`` done."""
    sent = {"Origin": server.url, "Cookie": server.sign_in()}
    answer = httpx.post(
        f"{server.url}/bench/{job}", json=wanted, headers=sent, timeout=PATIENCE, trust_env=False, verify=False
    )
    assert answer.status_code == 200, server.log
    return answer.json()


async def watch(url: str, path: str, cookie: str, last: str, are_in: threading.Event) -> int:
    """Look on until all have seen the last words; how many have."""
    async with AsyncExitStack() as stack:
        viewers = [ProtocolViewer(url, path, cookie, wanted=last) for _ in range(OTHERS)]
        for viewer in viewers:
            await stack.enter_async_context(viewer)
        are_in.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * PATIENCE):
                await asyncio.gather(*(viewer.found.wait() for viewer in viewers))
        return sum(viewer.found.is_set() for viewer in viewers)


#: Threads that asyncio's own pool makes as they are needed, and keeps; a leak would leave one for each guest at least.
POOLED = min((os.cpu_count() or 1) + 4, OTHERS // 2)


def processes_of(server: LuluServer) -> list[psutil.Process]:
    """The server, and the process of its guests' pages."""
    found = process_tree(server.pid)
    assert len(found) == 2
    return found


def threads_of(process: psutil.Process) -> int:
    """Its threads."""
    threads: int = process.num_threads()
    return threads


def files_of(process: psutil.Process) -> int:
    """What the process has open, without what is kept for good reasons.

    That is Lulu's pool of database connections, and Streamlit's: it keeps who left for two minutes, in case they come
    back, and each has an event loop of its own (a poll and a pair of sockets).
    """
    opened: list[str] = []
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            opened.append(str(entry.readlink()))
    loops = sum(target == "anon_inode:[eventpoll]" for target in opened)
    return sum("lulu.db" not in target for target in opened) - 3 * loops


def connected(server: LuluServer) -> list[object]:
    """The connections that somebody still holds."""
    found = psutil.Process(server.pid).net_connections("tcp")
    return [one for one in found if one.status == psutil.CONN_ESTABLISHED]


@pytest.mark.timeout(420)  # two visits, each with three waits
@pytest.mark.long
def test_twenty_guests_see_the_last_event_and_leave_nothing_behind(
    server: NewServer, new_viewer: Callable[..., Viewer]
) -> None:
    bench = ROOT / "scripts" / "bench" / "app.py"
    lulu = server(env={"LULU_AGENT": "demo", "PYTHONPATH": str(ROOT)}, script=bench, start=False)
    shutil.copytree(ROOT / ".streamlit", lulu.work_dir / ".streamlit")
    lulu.start()
    session_id = ask(lulu, "stage")["id"]
    cookie, path = ask(lulu, "share", id=session_id)["cookie"], f"/?id={session_id}"

    def visit(visit_number: int) -> int:
        last, are_in = f"These are the last words of visit {visit_number}.", threading.Event()
        guest = new_viewer(signed_in=False)
        name, _, value = cookie.partition("=")
        guest.context.add_cookies([{"name": name, "value": value, "url": lulu.url}])
        with ThreadPoolExecutor(1) as thread:
            looking = thread.submit(asyncio.run, watch(lulu.url, path, cookie, last, are_in))
            assert are_in.wait(PATIENCE)
            guest.page.goto(lulu.url + path)
            expect(guest.page.get_by_text("shared with you")).to_be_visible(timeout=PATIENCE * 1000)
            for number in range(5):
                ask(lulu, "append", id=session_id, text=f"Word {number} of visit {visit_number}.")
            ask(lulu, "append", id=session_id, text=last)
            expect(guest.page.get_by_text(last)).to_be_visible(timeout=PATIENCE * 1000)
            seen = looking.result(2 * PATIENCE)
        assert guest.console_errors == []
        guest.close()
        return seen + 1

    # What the first visit opens for good (pools, caches) is no leak; what each visit opens is.
    first = visit(1)
    eventually(lambda: not connected(lulu), timeout=PATIENCE)
    processes = processes_of(lulu)
    threads, files = ([count(one) for one in processes] for count in (threads_of, files_of))
    second = visit(2)

    assert (first, second) == (20, 20)
    eventually(lambda: not connected(lulu), timeout=PATIENCE)
    assert processes_of(lulu) == processes
    eventually(
        lambda: all(threads_of(one) <= before + POOLED for one, before in zip(processes, threads, strict=True)),
        timeout=PATIENCE,
    )
    eventually(
        lambda: all(files_of(one) <= before for one, before in zip(processes, files, strict=True)), timeout=PATIENCE
    )
