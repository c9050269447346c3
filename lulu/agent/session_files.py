"""Claude Code's own record of a conversation: looked at for what its next process counts from and
remembers, and never written."""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Mapping
from pathlib import Path

#: The line that a process adds when it ends by itself; one that is killed adds none (measured with CLI 2.1.330).
_COST_STATE = b'"type":"cost-state"'
#: How lines begin that are no messages, whichever these are.
_NO_MESSAGE = b'{"type":"api-request'
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Unreadable(Exception):
    """There is a transcript, and nothing of it can be read: why."""


def running_total(
    conversation_id: str, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> float | None:
    """US dollars that a process which resumes or forks this conversation starts its ``total_cost_usd`` from.

    Nothing where there is no transcript, or none that can be read.
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
    """Each line of the conversation, and the line that it follows, in the order of the file; a root follows none.

    Nothing where there is no transcript. Lines that cannot be read are left out, as Claude Code leaves them out.
    Raises ``Unreadable``.
    """
    found: dict[str, str | None] = {}
    try:
        path = _path(conversation_id, environ, home)
        if path is None:
            return None
        with path.open("rb") as file:
            for line in file:
                # Bookkeeping, which is most of a transcript.
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
    """The last line of that kind; empty where there is none. A transcript may be many megabytes long."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            at = content.rfind(_COST_STATE)
            if at < 0:
                return b""
            end = content.find(b"\n", at)
            return content[content.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(content)]
