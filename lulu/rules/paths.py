"""Resolves the paths of a call, and decides whether a path pattern covers them.

The caller passes a function that follows symbolic links. Nothing else here uses the file system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from lulu.model.claude_tools import PRIMARY_FIELD, SEARCHING
from lulu.rules.path_globs import ANY_NAME, Anchor, PathGlob
from lulu.rules.sensitive_paths import delicate
from lulu.rules.shell.expansions import MOST_BRACES, braces
from lulu.rules.values import Resolve, ToolCall

_FILE_ADDRESS = re.compile(r"file:/+(localhost/)?", re.IGNORECASE)
#: Programs differ in how they read these: spaces around a path, ``~name``, ``file:/…``.
_ODD = re.compile(r"^\s|\s$|^~[^/]|^\ufeff|^[A-Za-z][\w+.-]+:/")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A path that a call names."""

    #: As the agent wrote it.
    path: str
    #: Whether everything below it is meant, too.
    searched: bool = False
    #: Whether a glob or several fields may lead to it. Only deny rules use these.
    suspected: bool = False
    #: Whether its ``*``, ``?`` and ``[`` are wildcards.
    globbed: bool = False
    #: Whether it can lead out of ``path`` in a way that is not resolved here.
    elsewhere: bool = False


def file_targets(tool_name: str, tool_input: dict[str, Any]) -> list[Target]:
    """Return the paths of a file tool's call; empty if it names none."""
    path = tool_input.get(PRIMARY_FIELD[tool_name])
    searched = tool_name in SEARCHING
    if path is None and searched:
        path = "."
    if not isinstance(path, str) or not (path or searched):
        return []
    pattern = tool_input.get("pattern") if tool_name == "Glob" else tool_input.get("glob")
    pattern = pattern if isinstance(pattern, str) else ""
    elsewhere = tool_name == "Glob" and _may_lead_out(pattern)
    targets = [Target(path=path or ".", searched=searched, elsewhere=elsewhere)]
    # Grep's glob matches names at any depth, and may be a list of globs.
    globs = [pattern] if tool_name == "Glob" else re.split(r"[,\s]+(?![^{]*\})", pattern)
    for glob in (each for text in globs for each in braces(text)):
        if glob and not glob.startswith("!"):
            depth = "" if tool_name == "Glob" or "/" in glob else "**/"
            inside = glob if glob.startswith(("/", "~")) else f"{path or '.'}/{depth}{glob}"
            targets.append(Target(path=inside, suspected=True, globbed=True))
    return targets


def _may_lead_out(pattern: str) -> bool:
    """Whether a glob may find a file outside of the folder that is searched. For approve rules."""
    spread = braces(pattern)
    strange = set("\\(") & set(pattern) or pattern != pattern.strip() or len(spread) >= MOST_BRACES
    return bool(strange) or any(
        each.startswith(("/", "~")) or ".." in each
        for glob in spread
        for each in (glob, glob.replace("{", "").replace("}", ""))
    )


class Paths:
    """The folders of one call, and the paths in it."""

    def __init__(self, call: ToolCall, resolve: Resolve) -> None:
        self._call = call
        self._resolve = resolve
        # Caches, because every rule asks the same.
        self._resolved: dict[str, str | None] = {}
        self._spelled: dict[tuple[str, tuple[str, ...], bool], list[list[str]] | None] = {}
        self._anchored: dict[tuple[Anchor, int, str | None, bool], list[list[str]]] = {}

    def covers(self, glob: PathGlob, rule_folder: str | None, target: Target, *, writes: bool) -> bool:
        """Whether the pattern surely covers the path, as written and with links followed. To approve.

        Files that control programs may only be written if the pattern names them.
        """
        if target.elsewhere:
            return False
        spellings = self._spellings(target.path, [self._cwd])
        if spellings is None:
            return False
        anchors = self._anchors(glob, rule_folder, deny=False)
        # A pattern that matches any name in a folder and in its folders covers everything below it.
        probes = [[ANY_NAME], [ANY_NAME] * 2] if target.searched else [[]]
        named = glob.named if writes else None
        return bool(anchors) and all(
            self._inside(glob, anchors, spelling, probe, deny=False, named=named)
            for spelling in spellings
            for probe in probes
        )

    def is_delicate(self, target: Target) -> bool:
        """Whether the path may control programs. Names above the session's folder do not count."""
        spellings = self._spellings(target.path, [self._cwd])
        tops = [self._parts(self._call.folder), *map(list, self._real_parts(self._call.folder))]
        return spellings is None or any(
            delicate(next((parts[len(top) :] for top in tops if parts[: len(top)] == top), parts))
            for parts in spellings
        )

    def touches(self, glob: PathGlob, rule_folder: str | None, target: Target, folders: Iterable[str] = ()) -> bool:
        """Whether the pattern may cover the path, read from here or from one of ``folders``. To deny."""
        bases = [self._cwd, self._call.folder, *(self._absolute(folder, self._cwd) for folder in folders)]
        spellings = self._spellings(target.path, dict.fromkeys(bases), generous=True) or []
        anchors = self._anchors(glob, rule_folder, deny=True)
        probes = [[], [ANY_NAME]] if target.searched else [[]]
        return any(
            self._inside(glob, anchors, spelling, probe, deny=True, globbed=target.globbed)
            for spelling in spellings
            for probe in probes
        )

    def inside(self, folder: str) -> bool:
        """Whether a folder that a command changes to is the session's or below it. To approve."""
        somebody = folder.startswith("~") and folder != "~" and not folder.startswith("~/")
        return not somebody and self.below(self._absolute(folder, self._cwd), self._call.folder, deny=False)

    def below(self, folder: str, top: str, *, deny: bool) -> bool:
        """Whether ``folder`` is ``top`` or below it: by every spelling to approve, by any to deny."""
        if not top.startswith("/"):
            return False
        tops = {tuple(self._parts(top)), *self._real_parts(top)}
        real = self._real_parts(folder)
        spellings = [tuple(self._parts(folder)), *real]
        if not real and not deny:
            return False
        found = [any(spelling[: len(each)] == each for each in tops) for spelling in spellings]
        return any(found) if deny else all(found)

    @cached_property
    def _cwd(self) -> str:
        return self._absolute(self._call.cwd or self._call.folder, self._call.folder)

    def _spellings(self, path: str, bases: Iterable[str], *, generous: bool = False) -> list[list[str]] | None:
        key = (path, tuple(bases), generous)
        if key not in self._spelled:
            self._spelled[key] = self._spell(path, key[1], generous=generous)
        return self._spelled[key]

    def _spell(self, path: str, bases: Iterable[str], *, generous: bool) -> list[list[str]] | None:
        """Return the path's names, as written and with links followed.

        None if a link cannot be followed, unless ``generous``.
        """
        found: dict[tuple[str, ...], None] = {}
        if "\0" in path or (not generous and _ODD.search(path)):
            return None
        # Programs remove spaces and ``file:`` before they use a path.
        spellings = dict.fromkeys((path, path.strip(), unquote(_FILE_ADDRESS.sub("/", path.strip()))))
        for written in (self._absolute(each, base) for base in bases for each in spellings):
            found[tuple(self._parts(written))] = None
            # A program may read `link/..` as the folder of the link or of its target.
            for start in dict.fromkeys((written, "/" + "/".join(self._parts(written)))):
                real = self._real(start)
                if real is not None:
                    found[tuple(self._parts(real))] = None
                elif not generous:
                    return None
        return [list(parts) for parts in found]

    def _inside(
        self,
        glob: PathGlob,
        anchors: list[list[str]],
        parts: list[str],
        probe: list[str],
        *,
        deny: bool,
        named: frozenset[str] | None = None,
        globbed: bool = False,
    ) -> bool:
        for anchor in anchors:
            top = parts[: len(anchor)]
            if top == anchor or (deny and _lower(top) == _lower(anchor)):
                rest = parts[len(anchor) :]
            else:
                continue
            if named is not None and not delicate(rest) <= named:
                continue
            if glob.matches([*rest, *probe], deny=deny) or (globbed and glob.overlaps(rest)):
                return True
        return False

    def _anchors(self, glob: PathGlob, rule_folder: str | None, *, deny: bool) -> list[list[str]]:
        key = (glob.anchor, glob.up, rule_folder, deny)
        if key not in self._anchored:
            self._anchored[key] = self._starts(glob, rule_folder, deny=deny)
        return self._anchored[key]

    def _starts(self, glob: PathGlob, rule_folder: str | None, *, deny: bool) -> list[list[str]]:
        folders: list[str | None]
        if glob.anchor is Anchor.ROOT:
            return [[]]
        if glob.anchor is Anchor.HOME:
            folders = [self._call.home]
        elif glob.anchor is Anchor.PROJECT:
            folders = [rule_folder or self._call.folder]
        else:
            folders = [self._call.folder, self._cwd] if deny else [self._call.folder]
        anchors: dict[tuple[str, ...], None] = {}
        for folder in folders:
            if not folder or not folder.startswith("/"):
                continue
            anchors[tuple(self._parts(folder))] = None
            anchors.update(dict.fromkeys(self._real_parts(folder)))
        return [list(anchor[: max(0, len(anchor) - glob.up)]) for anchor in anchors]

    def _absolute(self, path: str, base: str) -> str:
        if path == "~" or path.startswith("~/"):
            path = (self._call.home or "/~") + path[1:]
        return path if path.startswith("/") else f"{base}/{path}"

    def _parts(self, path: str) -> list[str]:
        parts: list[str] = []
        for part in path.split("/"):
            if part == "..":
                parts[-1:] = []
            elif part not in ("", "."):
                parts.append(part)
        return parts

    def _real_parts(self, path: str) -> list[tuple[str, ...]]:
        real = self._real(path)
        return [] if real is None else [tuple(self._parts(real))]

    def _real(self, path: str) -> str | None:
        if path not in self._resolved:
            try:
                self._resolved[path] = self._resolve(path)
            except (OSError, ValueError, RuntimeError):
                self._resolved[path] = None
        return self._resolved[path]


def _lower(parts: list[str]) -> list[str]:
    return [part.casefold() for part in parts]
