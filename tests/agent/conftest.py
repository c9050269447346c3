"""The real Claude Code in a clean environment."""

from __future__ import annotations

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
        yield Claude(api, tmp_path)
        runtime.stop()


@pytest.fixture
def place(claude: Claude) -> Path:
    """The session's folder, two below the test's own; with a folder below it."""
    claude.work = claude.folder / "above" / "project"
    (claude.work / "below").mkdir(parents=True)
    (claude.work / "below" / "x.txt").write_text("x")
    return claude.work
