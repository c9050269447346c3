"""So many protocol viewers of one page, in a process of their own: ``python -m scripts.bench.viewers URL PATH COUNT``.

The owner's cookie is in the environment. Prints ``ready`` when all have the page, and ends when its input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

from scripts.bench.protocol import ProtocolViewer

#: The variable that holds the cookie: a process list is for everybody to read.
COOKIE = "BENCH_COOKIE"
#: Added to this process's niceness.
STAND_BACK = 10


async def main(url: str, path: str, count: int, cookie: str) -> None:
    """Look until there is no more input. On a machine of their own they would take nothing from the server's cores."""
    os.nice(STAND_BACK)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(ProtocolViewer(url, path, cookie))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), os.environ[COOKIE]))
