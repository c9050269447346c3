"""What a working directory brings with it: Claude Code settings that run commands or allow tools without asking.

Reads the folder's own files only, and only to tell the person; a repository can carry them without its user knowing
(CVE-2025-59536).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Settings files in a folder, by the setting source that turns each on.
_FILES = {"project": ".claude/settings.json", "local": ".claude/settings.local.json"}
_MCP_FILE = ".mcp.json"
#: A settings file is small; a larger one is not read.
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that the folder brings."""

    #: The file, relative to the folder.
    file: str
    #: ``hooks``, ``allow rules``, ``MCP servers`` or ``unreadable``.
    kind: str
    #: The events, rules or servers, by name.
    names: list[str]


def findings(folder: str, sources: Iterable[str]) -> list[Finding]:
    """Hooks, MCP servers and allow rules that apply in this folder with these setting sources. Never raises."""
    root = Path(folder)
    applying = list(sources)
    found: list[Finding] = []
    for source, name in _FILES.items():
        if source in applying:
            found += _in_settings(name, _read(root / name))
    if "project" in applying:
        found += _named(_MCP_FILE, "MCP servers", _section(_read(root / _MCP_FILE), "mcpServers"))
    return found


def _in_settings(file: str, settings: dict[str, Any] | None) -> list[Finding]:
    allowed = _section(settings, "permissions").get("allow")
    rules = [str(rule) for rule in allowed] if isinstance(allowed, list) else []
    return [
        *_named(file, "hooks", _section(settings, "hooks")),
        *_named(file, "allow rules", rules),
        *_named(file, "MCP servers", _section(settings, "mcpServers")),
        *([Finding(file=file, kind="unreadable", names=[])] if settings is None else []),
    ]


def _named(file: str, kind: str, names: Iterable[str]) -> list[Finding]:
    listed = list(names)
    return [Finding(file=file, kind=kind, names=listed)] if listed else []


def _section(settings: dict[str, Any] | None, name: str) -> dict[str, Any]:
    section = (settings or {}).get(name)
    return section if isinstance(section, dict) else {}


def _read(path: Path) -> dict[str, Any] | None:
    """The file's object: empty where there is no file, nothing where it cannot be read as one."""
    try:
        if not path.is_file():
            return {}
        if path.stat().st_size > _MAX_BYTES:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
