"""Folders that bring something for Claude Code, and the owner's answers about them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lulu.model.commands import TrustFolder
from lulu.model.sessions import SessionId, SessionStatus
from lulu.store import FolderQuestion
from tests.agent.claude_driver import OWNER, SECONDS, Claude
from tests.support import eventually

#: A folder's file acts by making this one, in the folder of the test.
ACTED = "acted"


def held(claude: Claude, session_id: SessionId) -> FolderQuestion:
    """What the session waits for, as soon as it does."""
    question = eventually(lambda: claude.lulu.store.folders.question(session_id), timeout=SECONDS)
    claude.has(session_id, SessionStatus.WAITING)
    return question


def answer(claude: Claude, session_id: SessionId, *, trusted: bool) -> FolderQuestion:
    """Answer what the session waits for, as it is shown."""
    question = held(claude, session_id)
    for one in question.asked:
        place = one.place
        claude.lulu.store.commands.submit(
            TrustFolder(actor=OWNER, folder=place.folder, trusted=trusted, entries=place.entries)
        )
    return question


def write(path: Path, content: str | dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def add_worktree(place: Path) -> None:
    """Make the folder a repository, with a worktree beside it."""
    git = ["git", "-c", "user.email=a@example.org", "-c", "user.name=a"]
    for arguments in (["init"], ["add", "."], ["commit", "-m", "one"], ["worktree", "add", "../other"]):
        subprocess.run([*git, *arguments], cwd=place, check=True, capture_output=True)


def settings_file(name: str, **settings: Any) -> Callable[[Path, str], None]:
    def bring(folder: Path, touch: str) -> None:
        write(folder / ".claude" / name, json.loads(json.dumps(settings).replace("TOUCH", touch)))

    return bring


def hook(name: str) -> Callable[[Path, str], None]:
    return settings_file(name, hooks={"UserPromptSubmit": [{"hooks": [{"type": "command", "command": "TOUCH"}]}]})


def has_acted(claude: Claude) -> bool:
    return (claude.work.parent / ACTED).exists() or (claude.work / ACTED).exists()
