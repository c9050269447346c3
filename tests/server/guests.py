"""What tests of the guests' process share: it, kept for a while, and what it was told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from streamlit.config_option import ConfigOption

from lulu.server.guests.supervisor import GuestProcess
from tests.support import eventually

OPTIONS = {
    "server.maxMessageSize": SimpleNamespace(value=7, where_defined="a flag", sensitive=False),
    "server.cookieSecret": SimpleNamespace(value="secret", where_defined="a file", sensitive=True),
    "logger.level": SimpleNamespace(value="info", where_defined=ConfigOption.DEFAULT_DEFINITION, sensitive=False),
}
#: Those that somebody has set, and that may be told.
SET = {"server.maxMessageSize": 7}


async def until(holds: Callable[[], object]) -> None:
    """Wait until it holds, while the loop goes on."""
    await asyncio.to_thread(eventually, holds)


class Told:
    """What the stub was told, line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[dict[str, Any]]:
        """Every whole line."""
        text = self.path.read_text() if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def number(self, topic: str) -> int | None:
        """The last number of a topic."""
        found: list[int] = [line["versions"][topic] for line in self.lines()[1:] if topic in line["versions"]]
        return found[-1] if found else None


@asynccontextmanager
async def kept() -> AsyncIterator[GuestProcess]:
    """One that is ended with the test."""
    guests = GuestProcess(lambda: OPTIONS)
    try:
        yield guests
    finally:
        await guests.end()
