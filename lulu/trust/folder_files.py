"""Find the files of a folder and of those above it that make Claude Code act by itself.
Reads them, up to a limit, to show them to a person and to recognize them later. A repository can contain them without
its user's knowledge (CVE-2025-59536). Never raises, runs nothing, and waits at most ``PATIENCE`` for a folder.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TimedOut
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SETTINGS_FOLDER = ".claude"
_SETTINGS_FILES = ("settings.json", "settings.local.json")
_MCP_FILE = ".mcp.json"
#: Sources of Claude Code's settings that belong to a folder.
FOLDER_SOURCES = frozenset({"project", "local"})
#: Parts of ``.claude`` that do not count: text that is read like CLAUDE.md, and files that Claude Code only writes. All
#: others count, also unknown ones.
QUIET = frozenset(
    {
        *("CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", "rules", "agent-memory", "agent-memory-local"),
        *("worktrees", "plans", "logs", "debug", "todos", "tasks", "projects", "checkpoints", "file-history"),
        *("shell-snapshots", "statsig", "scheduled_tasks.lock", ".gitignore", ".DS_Store"),
    }
)
#: Known folders of ``.claude``, and their content.
_KINDS = {
    "agents": "agents",
    "commands": "commands",
    "hooks": "hook scripts",
    "output-styles": "output styles",
    "plugins": "plugins",
    "skills": "skills",
    "workflows": "workflows",
}
#: Settings with a finding of their own kind. All others are "other settings".
_NAMED = ("hooks", "mcpServers", "env", "permissions", "$schema")
#: A folder with more than this is not read completely, and cannot be trusted.
MAX_FILES, MAX_BYTES, _MAX_DEPTH = 2_000, 32_000_000, 32
#: A larger settings file (bytes) is reported as unreadable.
_MAX_SETTINGS = 1_000_000
#: The most bytes of Git's own small files.
_MAX_GIT_FILE = 4_096
_PIECE = 1 << 20
#: Seconds until a folder counts as silent, such as one on a lost network share.
PATIENCE = 10.0
SILENT = "It does not answer."


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a folder brings."""

    #: The file or folder, relative to the folder that brings it.
    file: str
    #: ``hooks``, ``allow rules``, ``MCP servers``, ``agents``, …, ``unreadable``, or ``not known to Lulu``.
    kind: str
    #: The names of the events, rules, servers, agents, …
    names: list[str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder that brings files."""

    #: Its path, with links resolved.
    folder: str
    #: Each counted file, relative to the folder, with the SHA-256 of its content (or a description if it is no file).
    entries: dict[str, str]
    findings: list[Finding]
    #: The reason why it was not read completely, and so cannot be recognized later; or ``None``.
    problem: str | None = None

    @property
    def fingerprint(self) -> str:
        """One hash of all entries."""
        return fingerprint(self.entries)


@dataclass(frozen=True, kw_only=True)
class Brought:
    """The files that act in a working directory."""

    #: The directory and every folder above it, links resolved, nearest first; then the main checkouts of worktrees.
    folders: list[str]
    #: Those folders that bring files.
    places: list[Place]


def fingerprint(entries: dict[str, str]) -> str:
    """Return one hash of these entries."""
    return hashlib.sha256(json.dumps(sorted(entries.items())).encode()).hexdigest()


def inspect(folder: str, sources: Iterable[str]) -> Brought:
    """Return the files of this folder and those above it, if these setting sources include them."""
    if not FOLDER_SOURCES.intersection(sources):
        return Brought(folders=[], places=[])
    late = _late.get(folder)
    is_late = late is not None and not late.done()
    look = late if late is not None and is_late else _begin_look(folder)
    try:
        found = look.result(0 if is_late else PATIENCE)
    except TimedOut:
        # Its thread may hang forever, so no second one is started.
        _late[folder] = look
        silent = Place(folder=_name(folder), entries={}, findings=[], problem=SILENT)
        return Brought(folders=[silent.folder], places=[silent])
    _late.pop(folder, None)
    return found


#: Inspections of folders that did not answer in time.
_late: dict[str, Future[Brought]] = {}


def _begin_look(folder: str) -> Future[Brought]:
    """Inspect in a separate thread. Neither another inspection nor the end of Lulu waits for it."""
    look: Future[Brought] = Future()

    def work() -> None:
        try:
            look.set_result(_look(folder))
        except BaseException as exc:
            # The top of the thread: the error is raised in the caller that waits.
            look.set_exception(exc)

    threading.Thread(target=work, name="folder", daemon=True).start()
    return look


def _look(folder: str) -> Brought:
    try:
        chain = _chain(folder)
    except ValueError:
        # No folder can have this name.
        return Brought(folders=[], places=[])
    own = own_settings()
    places = [place for place in (_place(path, own) for path in chain) if place is not None]
    return Brought(folders=[_name(path) for path in chain], places=places)


def _name(path: Path | str) -> str:
    """Return a path as text that can be stored, for any bytes in it."""
    return os.fsencode(path).decode(errors="backslashreplace")


def own_settings() -> set[str]:
    """Return the user's own configuration folders, links resolved. They need no trust."""
    named = [str(Path.home() / _SETTINGS_FOLDER), os.environ.get("CLAUDE_CONFIG_DIR", "")]
    return {os.path.realpath(path) for path in named if path}


def checkout_of(folder: str) -> tuple[str, str] | None:
    """Return the git folder of this folder's repository, and the folder's path in the checkout.
    ``None`` if the folder only claims it: a repository knows its worktrees, and a link to a git folder does not count.
    """
    try:
        for root in (Path(folder), *Path(folder).parents):
            git = root / ".git"
            if git.is_dir():
                is_own = Path(os.path.realpath(git)) == Path(os.path.realpath(root)) / ".git"
                return (str(git), os.path.relpath(folder, root)) if is_own else None
            if git.is_file():
                common, names_us = _common_folder(git)
                return (str(common), os.path.relpath(folder, root)) if common and names_us else None
    except (OSError, ValueError):
        pass
    return None


def _chain(folder: str) -> list[Path]:
    """Return the folder and those above it, written and resolved, and main checkouts of worktrees.
    Claude Code also uses agents, commands, skills and local settings of the main checkout.
    """
    written = Path(os.path.normpath(Path(folder).absolute()))
    real = Path(os.path.realpath(folder))
    found = [real, *real.parents, *(Path(os.path.realpath(path)) for path in written.parents)]
    mains = [main for path in found if (main := main_checkout(path))]
    return list(dict.fromkeys([*found, *mains]))


def main_checkout(root: Path) -> Path | None:
    """Return the main checkout of the worktree ``root``, or ``None`` for any other folder."""
    git = root / ".git"
    try:
        if not git.is_file():
            return None
    except OSError:
        return None
    common, _ = _common_folder(git)
    return common.parent if common is not None and common.name == ".git" else None


def _common_folder(git: Path) -> tuple[Path | None, bool]:
    """Return the git folder that a worktree's ``.git`` file leads to, and whether it knows this file."""
    text = read_text(git, _MAX_GIT_FILE) or ""
    if not text.startswith("gitdir:"):
        return None, False
    gitdir = Path(os.path.realpath(git.parent / text.removeprefix("gitdir:").strip()))
    to_common = read_text(gitdir / "commondir", _MAX_GIT_FILE)
    if not to_common:
        return None, False
    back = read_text(gitdir / "gitdir", _MAX_GIT_FILE) or ""
    knows = bool(back) and os.path.realpath(gitdir / back.strip()) == os.path.realpath(git)
    return Path(os.path.realpath(gitdir / to_common.strip())), knows


# -- one folder ------------------------------------------------------------------------------------------------------


def _place(path: Path, own: set[str]) -> Place | None:
    reading = _Reading()
    settings = path / _SETTINGS_FOLDER
    try:
        if os.path.realpath(settings) not in own and _is_folder(settings):
            reading.read_folder(settings, _SETTINGS_FOLDER, without=QUIET)
        if os.path.lexists(path / _MCP_FILE):
            reading.read(path / _MCP_FILE, _MCP_FILE)
    except _Unreadable as exc:
        reading.problem = str(exc)
    except OSError as exc:
        reading.problem = f"It cannot be read ({exc.strerror})."
    if not reading.entries and reading.problem is None:
        return None
    return Place(
        folder=_name(path),
        entries=reading.entries,
        findings=_findings(path, reading.entries),
        problem=reading.problem,
    )


def _is_folder(path: Path) -> bool:
    """Whether there is a folder. Raises ``OSError`` if that cannot be found out."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError as exc:
        if exc.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return False
        raise


class _Unreadable(Exception):
    """A folder is not read completely, for this reason."""


@dataclass
class _Reading:
    """Reads files one after the other, until there are too many."""

    entries: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    _seen: int = 0
    _bytes: int = 0

    def read_folder(
        self, path: Path, name: str, *, without: frozenset[str] = frozenset(), above: tuple[tuple[int, int], ...] = ()
    ) -> None:
        """Read every file below. Raises ``_Unreadable`` and ``OSError``."""
        status = path.stat()
        here = (status.st_dev, status.st_ino)
        if here in above or len(above) > _MAX_DEPTH:
            # A link back to a folder above. Its content was already read.
            self.entries[name] = "a link that leads in a circle"
            return
        with os.scandir(path) as listed:
            names = []
            for entry in listed:
                self._count()
                names.append(entry.name)
        for inner in sorted(set(names) - without):
            self.read(path / inner, f"{name}/{_name(inner)}", above=(*above, here))

    def read(self, path: Path, name: str, *, above: tuple[tuple[int, int], ...] = ()) -> None:
        """Read a file, or every file of a folder. Any other kind is recorded, but never opened."""
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            self.entries[name] = f"a link to {str(path.readlink())!r}, where nothing is"
            return
        if stat.S_ISDIR(mode):
            self.read_folder(path, name, above=above)
        elif stat.S_ISREG(mode):
            self.entries[name] = self._digest(path)
        else:
            self.entries[name] = "no file"

    def _digest(self, path: Path) -> str:
        digest = hashlib.sha256()
        for piece in _pieces(path):
            self._bytes += len(piece)
            if self._bytes > MAX_BYTES:
                raise _Unreadable(f"It holds more than {MAX_BYTES // 1_000_000} MB, which Lulu does not read.")
            digest.update(piece)
        return digest.hexdigest()

    def _count(self) -> None:
        self._seen += 1
        if self._seen > MAX_FILES:
            raise _Unreadable(f"It holds more than {MAX_FILES:,} files, which Lulu does not read.")


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield a regular file's content. Raises ``OSError``, also if the file became something that blocks."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no file any more")
        while piece := file.read(_PIECE):
            yield piece


def read_text(path: Path, most: int) -> str | None:
    """Return the text of a small file, or ``None`` if it is missing, longer than ``most``, or no text."""
    content = bytearray()
    try:
        for piece in _pieces(path):
            content += piece
            if len(content) > most:
                return None
        return content.decode()
    except (OSError, ValueError):
        return None


# -- in words --------------------------------------------------------------------------------------------------------


def _findings(path: Path, entries: dict[str, str]) -> list[Finding]:
    found: list[Finding] = []
    by_top: dict[str, list[str]] = {}
    for name in entries:
        inner = name.removeprefix(f"{_SETTINGS_FOLDER}/")
        top, _, rest = inner.partition("/")
        by_top.setdefault(top, []).append(rest.partition("/")[0].removesuffix(".md"))
    for top, names in by_top.items():
        file = _MCP_FILE if top == _MCP_FILE else f"{_SETTINGS_FOLDER}/{top}"
        if top in (*_SETTINGS_FILES, _MCP_FILE):
            found += _in_settings(file, settings_in(path / file))
        elif top in _KINDS:
            found.append(Finding(file=file, kind=_KINDS[top], names=list(dict.fromkeys(filter(None, names)))))
        else:
            found.append(Finding(file=file, kind="not known to Lulu", names=[]))
    return found


def _in_settings(file: str, settings: dict[str, Any] | None) -> list[Finding]:
    if settings is None:
        return [Finding(file=file, kind="unreadable", names=[])]
    told = {
        "hooks": list(section(settings, "hooks")),
        "allow rules": allow_rules(settings),
        "permissions": [name for name in section(settings, "permissions") if name != "allow"],
        "MCP servers": list(section(settings, "mcpServers")),
        "environment": list(section(settings, "env")),
        "other settings": [name for name in settings if name not in _NAMED],
    }
    found = [Finding(file=file, kind=kind, names=names) for kind, names in told.items() if names]
    return found or [Finding(file=file, kind="no settings", names=[])]


def settings_in(path: Path, *, most: int = _MAX_SETTINGS) -> dict[str, Any] | None:
    """Return a settings file's object, or ``None`` if it is unreadable or longer than ``most`` bytes."""
    try:
        found = json.loads(read_text(path, most) or "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def allow_rules(settings: dict[str, Any]) -> list[str]:
    """Return the rules of a settings file that allow tools without asking."""
    return strings(settings, "permissions", "allow")


def strings(settings: dict[str, Any], name: str, inner: str) -> list[str]:
    """Return the strings of a list in a section, without its other values."""
    found = section(settings, name).get(inner)
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []


def section(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object inside a settings file, or an empty dict."""
    found = settings.get(name)
    return found if isinstance(found, dict) else {}
