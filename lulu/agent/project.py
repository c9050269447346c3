"""Pass a folder's files to its agent: all settings if the owner trusts it, or else the safe parts.

The safe parts are CLAUDE.md and the user's own MCP servers for the folder. Claude Code reads all of that with the same
setting sources. Without them, it reads the CLAUDE.md of an added folder only. Those of folders above and below, and the
user's servers, are read here and passed on.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from claude_agent_sdk import HookMatcher
from claude_agent_sdk.types import HookContext, HookInput, SyncHookJSONOutput

from lulu.agent.spec import AgentSpec
from lulu.settings import Settings, SettingSource
from lulu.trust.folder_files import allow_rules, main_checkout, own_settings, read_text, section, settings_in, strings

#: Makes Claude Code read CLAUDE.md of added folders.
_ADDED_FOLDERS = "CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD"
#: The most characters of one file, and of all files together.
_MAX_FILE, _MAX_ALL = 200_000, 400_000
#: The most characters of allow rules, because they are one argument.
_MAX_RULES = 60_000
#: The most bytes of the user's own file. It has every folder's history.
_MAX_USER_FILE = 50_000_000
#: A rule about a path relative to the folder of its settings file.
_FROM_ITS_FOLDER = re.compile(r"^(Read|Edit|Write|MultiEdit|NotebookEdit|Glob|Grep)\(/(?!/)")
#: Tools after which the CLAUDE.md beside their file is passed on.
_FILE_TOOLS = "Read|Edit|Write|MultiEdit|NotebookEdit"
#: The introductions that Claude Code uses.
_SAYS = {
    "CLAUDE.local.md": "user's private project instructions, not checked in",
    "CLAUDE.md": "project instructions, checked into the codebase",
}


def sources(spec: AgentSpec, settings: Settings) -> list[SettingSource]:
    """Return the setting sources that apply."""
    return [source for source in settings.setting_sources if spec.trusts_folder or source == "user"]


class Substitute:
    """Replaces a folder's settings that do not apply, with the safe parts of the same sources."""

    def __init__(self, spec: AgentSpec, settings: Settings) -> None:
        self._folder = Path(os.path.realpath(spec.working_directory))
        self._tells_instructions = not spec.trusts_folder and "project" in settings.setting_sources
        self._hands_servers = not spec.trusts_folder and "local" in settings.setting_sources
        self._told: set[Path] = set()
        self._files: list[IO[str]] = []

    def options(self) -> dict[str, Any]:
        """Return options for the SDK. Call ``close`` when the process has read the files in them."""
        options: dict[str, Any] = {"env": {}, "extra_args": {}}
        if self._tells_instructions:
            options |= {"add_dirs": [self._folder], "env": {_ADDED_FOLDERS: "1"}}
            if text := above(self._folder):
                options["extra_args"] = {"append-system-prompt-file": self._written(text)}
        if self._hands_servers and (servers := own_servers(self._folder)):
            options["mcp_servers"] = self._written(json.dumps({"mcpServers": servers}))
        return options

    def close(self) -> None:
        """Delete the files that were made for the process."""
        while self._files:
            self._files.pop().close()

    def _written(self, text: str) -> str:
        """Write a file for the process, and return its path.

        Not an argument, because every user of this computer can read those.
        """
        file = tempfile.NamedTemporaryFile("w", prefix="lulu-", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._files.append(file)
        file.write(text)
        file.flush()
        return file.name

    def hooks(self) -> list[HookMatcher]:
        """Return a ``PostToolUse`` hook that passes on CLAUDE.md of folders below, after a use of their files."""

        async def hook(data: HookInput, tool_use_id: str | None, context: HookContext) -> SyncHookJSONOutput:
            call: Any = data
            used = call["tool_input"].get("file_path") or call["tool_input"].get("notebook_path")
            text = self._below(used) if isinstance(used, str) else ""
            if not text:
                return {}
            return {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": text}}

        return [HookMatcher(matcher=_FILE_TOOLS, hooks=[hook])] if self._tells_instructions else []

    def _below(self, used: str) -> str:
        place = Path(os.path.realpath(self._folder / used))
        if not place.is_relative_to(self._folder):
            return ""
        folders = [folder for folder in reversed(place.parents) if folder != self._folder]
        new = [folder for folder in folders if folder.is_relative_to(self._folder) and folder not in self._told]
        self._told.update(new)
        return _contents(file for folder in new for file in _files_in(folder))


def above(folder: Path) -> str:
    """Return CLAUDE.md of the folders above, from the top, and the folder's own CLAUDE.local.md."""
    doubles = _doubles(folder)
    files = [
        file
        for parent in reversed(folder.parents)
        for file in _files_in(parent)
        if file.name == "CLAUDE.local.md" or parent not in doubles
    ]
    return _contents([*files, folder / "CLAUDE.local.md"])


def _doubles(folder: Path) -> set[Path]:
    """Return folders of the main checkout above a worktree in it. The worktree has their files, too."""
    for place, root in enumerate((folder, *folder.parents)):
        if (main := main_checkout(root)) is not None:
            return {path for path in folder.parents[place:] if path.is_relative_to(main)}
    return set()


def _files_in(folder: Path) -> list[Path]:
    settings = folder / ".claude"
    rules: list[Path] = []
    inner: list[Path] = []
    if os.path.realpath(settings) not in own_settings():
        inner = [settings / "CLAUDE.md"]
        try:
            rules = sorted((settings / "rules").glob("*.md"))[:100]
        except OSError:
            rules = []
    return [folder / "CLAUDE.md", *inner, *rules, folder / "CLAUDE.local.md"]


def _contents(files: Iterable[Path]) -> str:
    parts, left = [], _MAX_ALL
    for file in files:
        # A link may only lead to another file of instructions.
        is_text = os.path.realpath(file).endswith(".md")
        text = (read_text(file, _MAX_FILE) or "").strip() if is_text else ""
        if text and len(text) <= left:
            left -= len(text)
            says = _SAYS.get(file.name, _SAYS["CLAUDE.md"])
            parts.append(f"Contents of {file} ({says}):\n\n{text}")
    return "\n\n".join(parts)


def own_servers(folder: Path) -> dict[str, Any]:
    """Return the user's MCP servers for this folder, or for its repository, from the user's own file.

    ``claude mcp add`` writes them. Claude Code reads them with the source ``local``, like a file of the folder.
    """
    home = os.environ.get("CLAUDE_CONFIG_DIR") or Path.home()
    projects = (settings_in(Path(home, ".claude.json"), most=_MAX_USER_FILE) or {}).get("projects")
    for path in (*_repository(folder), folder):
        known = projects.get(str(path)) if isinstance(projects, dict) else None
        servers = known.get("mcpServers") if isinstance(known, dict) else None
        if isinstance(known, dict) and isinstance(servers, dict) and servers:
            off = known.get("disabledMcpServers")
            return {name: one for name, one in servers.items() if not isinstance(off, list) or name not in off}
    return {}


def _repository(folder: Path) -> list[Path]:
    """Return the main checkout and the checkout of this folder; an empty list outside of a repository."""
    root = next((path for path in (folder, *folder.parents) if (path / ".git").exists()), None)
    return [] if root is None else [main_checkout(root) or root, root]


def gated(spec: AgentSpec, settings: Settings) -> str | None:
    """Return the settings of a trusted folder that need Claude Code's own trust, as JSON, or ``None``.

    These are allow rules, further folders and plugins. Claude Code applies them only if its configuration file trusts
    the folder. That file is the user's, and Lulu never writes it.
    """
    if not spec.trusts_folder:
        return None
    folder = Path(os.path.realpath(spec.working_directory))
    files = [folder / ".claude" / "settings.json"] if "project" in settings.setting_sources else []
    if "local" in settings.setting_sources:
        # Those of the repository, too; in a worktree, those of its main checkout.
        roots = dict.fromkeys([folder, *_repository(folder)])
        files += [root / ".claude" / "settings.local.json" for root in roots]
    rules: list[str] = []
    further: list[str] = []
    plugins: dict[str, dict[str, Any]] = {}
    for file in files:
        own, root = settings_in(file) or {}, file.parent.parent
        rules += [_from_here(rule, root, folder) for rule in allow_rules(own)]
        further += [str(root / path) for path in strings(own, "permissions", "additionalDirectories")]
        for name in ("extraKnownMarketplaces", "enabledPlugins"):
            plugins.setdefault(name, {}).update(section(own, name))
    permissions = {"allow": _up_to(rules, _MAX_RULES), "additionalDirectories": _up_to(further, _MAX_RULES)}
    given = {"permissions": {name: values for name, values in permissions.items() if values}, **plugins}
    return json.dumps({name: values for name, values in given.items() if values}) if any(given.values()) else None


def _from_here(rule: str, root: Path, folder: Path) -> str:
    """Return a rule of another folder's file with its relative path written in full."""
    return rule if root == folder else _FROM_ITS_FOLDER.sub(lambda found: f"{found[1]}(/{root}/", rule)


def _up_to(texts: list[str], most: int) -> list[str]:
    return [text for text, length in zip(texts, accumulate(map(len, texts)), strict=True) if length <= most]
