"""Read Claude Code's session file of a conversation: its cost and its messages. Never writes it."""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Mapping
from pathlib import Path

#: The line that a process adds when it ends by itself. A killed one adds none (measured with CLI 2.1.330).
_COST_STATE = b'"type":"cost-state"'
#: The beginning of lines that are no messages.
_NO_MESSAGE = b'{"type":"api-request'
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Unreadable(Exception):
    """The session file exists, but none of it can be read, for this reason."""


def running_total(
    conversation_id: str, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> float | None:
    """Return the cost (US dollars) from the session file, as the start value of the next process.

    ``None`` if there is no session file, or none that can be read.
    """
    try:
        path = _path(conversation_id, environ, home)
        if path is None:
            return None
        line = _last_cost_state(path)
        return float(json.loads(line)["totalCostUSD"]) if line else 0.0
    except (OSError, ValueError, KeyError, TypeError):
        return None


def parents(
    conversation_id: str, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> dict[str, str | None] | None:
    """Return each message of the conversation with its parent, in the order of the file.

    The parent of a root is ``None``. Returns ``None`` without a session file. Ignores unreadable lines, as Claude Code
    does. Raises ``Unreadable``.
    """
    found: dict[str, str | None] = {}
    try:
        path = _path(conversation_id, environ, home)
        if path is None:
            return None
        with path.open("rb") as file:
            for line in file:
                # Bookkeeping: most of a session file.
                if not line.startswith(_NO_MESSAGE):
                    found |= _link(line)
    except OSError as exc:
        raise Unreadable(exc.strerror or str(exc)) from exc
    if not found:
        raise Unreadable("nothing in it is a message")
    return found


def _link(line: bytes) -> dict[str, str | None]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict) or not isinstance(content.get("uuid"), str) or "parentUuid" not in content:
        return {}
    parent = content["parentUuid"]
    return {content["uuid"]: parent if isinstance(parent, str) else None}


def _path(conversation_id: str, environ: Mapping[str, str] | None, home: Path | None) -> Path | None:
    config = (os.environ if environ is None else environ).get("CLAUDE_CONFIG_DIR")
    projects = (Path(config) if config else (home or Path.home()) / ".claude") / "projects"
    if not _ID.fullmatch(conversation_id):
        return None
    return max(projects.glob(f"*/{conversation_id}.jsonl"), key=lambda path: path.stat().st_mtime, default=None)


def _last_cost_state(path: Path) -> bytes:
    """Return the last line with the cost, or empty bytes. A session file may be many megabytes long."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            at = content.rfind(_COST_STATE)
            if at < 0:
                return b""
            end = content.find(b"\n", at)
            return content[content.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(content)]
