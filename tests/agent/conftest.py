"""The real Claude Code in a clean environment."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lulu import runtime
from tests.agent.claude_driver import Claude
from tests.messages_api import MessagesApi


@pytest.fixture
def claude(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Claude]:
    """Lulu with Claude Code, a scripted API and folders of their own; not started yet."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with MessagesApi() as api:
        for name, value in api.environment.items():
            monkeypatch.setenv(name, value)
        driver = Claude(api, tmp_path)
        yield driver
        runtime.stop()
        assert driver.damages or not forgotten_in(tmp_path), "a session was told to have forgotten something"


def forgotten_in(folder: Path) -> list[str]:
    """The notes of damaged transcripts in every file of Lulu's below it."""
    found: list[str] = []
    for path in folder.rglob("lulu.db"):
        with contextlib.closing(sqlite3.connect(path)) as file:
            found += [row[0] for row in file.execute(_FORGOTTEN)]
    return found


_FORGOTTEN = "SELECT payload FROM conversation_events WHERE payload LIKE '%conversation_partly_lost%'"


@pytest.fixture
def place(claude: Claude) -> Path:
    """The session's folder, two below the test's own; with a folder below it."""
    claude.work = claude.folder / "above" / "project"
    (claude.work / "below").mkdir(parents=True)
    (claude.work / "below" / "x.txt").write_text("x")
    return claude.work
