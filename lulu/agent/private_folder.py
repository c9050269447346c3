"""Keeps an agent's file tools out of Lulu's own data folder. A shell command is not looked at: see docs/security.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lulu.agent.requests import Gate

#: Claude Code's tools that read, write or list files, and the arguments that name where.
_PLACES = {
    "Read": ("file_path",),
    "Edit": ("file_path",),
    "MultiEdit": ("file_path",),
    "Write": ("file_path",),
    "NotebookEdit": ("notebook_path",),
    "NotebookRead": ("notebook_path",),
    "Glob": ("path", "pattern"),
    "Grep": ("path", "glob"),
    "LS": ("path",),
}
#: What the agent reads.
REFUSED = "This is Lulu's own data folder. It is not part of the work: leave it alone."


def rules(folder: Path) -> list[str]:
    """Claude Code's own deny rules for the folder; they hold for searches that begin above it too."""
    inside = f"/{folder.as_posix()}/**"
    return [f"{tool}({inside})" for tool in ("Read", "Edit")]


def outside(folder: Path, working_directory: str, gate: Gate) -> Gate:
    """``gate``, asked only about calls that stay out of the folder; the others are refused."""

    async def judged(
        tool_name: str, tool_input: dict[str, object], tool_use_id: str | None, cwd: str | None
    ) -> str | None:
        # From where the agent has gone, and from where it began.
        for base in dict.fromkeys((working_directory, cwd or working_directory)):
            if reaches_into(folder, base, tool_name, tool_input):
                return REFUSED
        return await gate(tool_name, tool_input, tool_use_id, cwd)

    return judged


def reaches_into(folder: Path, working_directory: str, tool_name: str, tool_input: Mapping[str, object]) -> bool:
    """Whether this call names a place inside the folder, links followed."""
    private = folder.resolve()
    named = [tool_input.get(argument) for argument in _PLACES.get(tool_name, ())]
    base = tool_input.get("path") if isinstance(tool_input.get("path"), str) else ""
    for text in named:
        if not isinstance(text, str):
            continue
        for start in (working_directory, str(Path(working_directory, str(base)))):
            try:
                place = Path(start, text).expanduser().resolve()
            except (OSError, RuntimeError, ValueError):
                continue
            if place == private or private in place.parents:
                return True
    # A search without a place looks through the working directory.
    if tool_name in ("Glob", "Grep", "LS") and not base:
        where = Path(working_directory).resolve()
        return where == private or private in where.parents
    return False
