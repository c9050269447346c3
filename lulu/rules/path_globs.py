"""Path patterns with gitignore's syntax, as Claude Code uses it. Touches no file system.

A pattern that matches a folder covers everything in it. To approve, the pattern has to name the folder: ``src/*``
approves files in ``src``, but not those in its folders.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache

from lulu.errors import InputError
from lulu.rules.glob_overlap import paths_overlap
from lulu.rules.sensitive_paths import folded

#: Placeholder for "any name": only ``*`` and ``**`` match it.
ANY_NAME = ""
#: A wildcard without a backslash before it.
_WILD = re.compile(r"(?<!\\)(?:\\\\)*[*?\[]")


class Anchor(Enum):
    """The folder that a pattern starts from."""

    #: ``//path``
    ROOT = auto()
    #: ``~/path``
    HOME = auto()
    #: ``/path``: the rule's folder, else the session's.
    PROJECT = auto()
    #: ``path`` and ``./path``: the session's working directory; to deny, the current one too.
    HERE = auto()


@dataclass(frozen=True, kw_only=True)
class PathGlob:
    """A parsed path pattern."""

    anchor: Anchor
    #: Number of folders above the anchor that it starts at.
    up: int
    #: Names as typed; ``**`` matches any number of folders.
    parts: tuple[str, ...]
    #: ``name/**`` or ``name/``: approves only at the anchor, denies at any depth.
    single_folder: bool = False
    #: A pattern without a slash matches a name at any depth.
    bare: bool = False

    @property
    def anything(self) -> bool:
        """Whether it is ``*`` alone."""
        return self.bare and self.parts == ("*",)

    @cached_property
    def named(self) -> frozenset[str]:
        """The names without wildcards, in lower case."""
        return frozenset(folded(re.sub(r"\\(.)", r"\1", part)) for part in self.parts if not _WILD.search(part))

    def overlaps(self, parts: Sequence[str]) -> bool:
        """Whether a search for a glob may lead to a path that the pattern covers. For deny rules."""
        wanted = (*(("**",) if self.bare or self.single_folder else ()), *self.parts)
        return paths_overlap(wanted, tuple(parts))

    def matches(self, parts: Sequence[str], *, deny: bool) -> bool:
        """Whether the pattern covers a path; ``parts`` are its names below the anchor."""
        any_depth = self.bare or (self.single_folder and deny)
        wanted = (*(("**",) if any_depth else ()), *self.parts)
        whole = not deny and self.parts[-1] != "**" and any(sign in self.parts[-1] for sign in "*?[")
        if _covers(wanted, parts, whole=whole):
            return True
        # `secrets/**` also denies a search in `secrets` itself.
        named = wanted[:-1] if deny and len(self.parts) > 1 and self.parts[-1] == "**" else ()
        if named and _covers(named, parts):
            return True
        if not deny:
            return False
        folded, parts = tuple(map(_folded, wanted)), [_folded(part) for part in parts]
        return _covers(folded, parts) or (bool(named) and _covers(folded[:-1], parts))


@lru_cache(maxsize=1024)
def path_glob(text: str) -> PathGlob:
    """Parse the path of a pattern. Raises ``InputError`` if it cannot be matched."""
    if text.startswith("!"):
        raise _refused("A path in a rule cannot start with “!”.", "Make a deny rule for what should stay out.")
    anchor, rest = _anchored(text)
    relative = anchor is Anchor.HERE and not rest.startswith("./")
    parts = [part for part in rest.split("/") if part not in ("", ".")]
    up = 0
    while parts and parts[0] == ".." and anchor in (Anchor.HERE, Anchor.PROJECT):
        up += 1
        parts.pop(0)
    if ".." in parts:
        raise _refused("The path has “..” in the middle.", "Write it without; // starts an absolute path.")
    folder = rest.endswith("/") or parts[-1:] == ["**"]
    names = parts[:-1] if parts[-1:] == ["**"] else parts
    single_folder = relative and up == 0 and folder and len(names) == 1 and names[0] != "**"
    if rest.endswith("/") and parts[-1:] not in (["**"], []):
        parts.append("**")
    bare = relative and up == 0 and "/" not in rest and bool(parts)
    return PathGlob(anchor=anchor, up=up, parts=tuple(parts) or ("**",), single_folder=single_folder, bare=bare)


def escaped_path(path: str) -> str:
    """Return the pattern that matches only this absolute path."""
    return "/" + re.sub(r"([\\*?\[\]()!#])", r"\\\1", path)


def _anchored(text: str) -> tuple[Anchor, str]:
    if text.startswith("//"):
        return Anchor.ROOT, text[2:]
    if text == "~" or text.startswith("~/"):
        return Anchor.HOME, text[2:]
    if text.startswith("/"):
        return Anchor.PROJECT, text[1:]
    return Anchor.HERE, text


def _covers(wanted: Sequence[str], parts: Sequence[str], *, whole: bool = False) -> bool:
    """Whether the pattern matches the path or, unless ``whole``, a folder above it."""
    if wanted[-1:] == ("**",):
        # The content of the folder, not the folder itself: at least one more name.
        wanted = (*wanted, "*")
    at, position = 0, 0
    retry_at, retry_position = -1, 0
    while at < len(wanted) or (whole and position < len(parts)):
        if at < len(wanted) and wanted[at] == "**":
            retry_at, retry_position = at, position
            at += 1
        elif at < len(wanted) and position < len(parts) and _takes(wanted[at], parts[position]):
            at, position = at + 1, position + 1
        elif retry_at >= 0 and retry_position < len(parts):
            retry_position += 1
            at, position = retry_at + 1, retry_position
        else:
            return False
    return True


def _takes(wanted: str, part: str) -> bool:
    if wanted == "*":
        return True
    return part != ANY_NAME and _name(wanted).match(part) is not None


@lru_cache(maxsize=4096)
def _name(wanted: str) -> re.Pattern[str]:
    """Return the expression for one part of a pattern. ``fnmatch`` keeps it linear in time."""
    signs: list[str] = []
    position = 0
    while position < len(wanted):
        sign = wanted[position]
        if sign == "\\" and position + 1 < len(wanted):
            position += 1
            signs.append(_literal(wanted[position]))
        elif sign == "[" and (end := wanted.find("]", position + 2)) > 0:
            inside = wanted[position + 1 : end]
            negated = inside[0] in "!^"
            ranges = re.sub(r"\\(.)", r"\1", inside[negated:])
            signs.append(f"[{'!' if negated else ''}{ranges}]" if ranges else _literal("[") + inside + "]")
            position = end
        else:
            signs.append(_literal(sign) if sign == "[" else sign)
        position += 1
    return re.compile(fnmatch.translate("".join(signs)))


def _literal(sign: str) -> str:
    return f"[{sign}]" if sign in "*?[" else sign


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _refused(happened: str, next_step: str) -> InputError:
    return InputError(happened, safe="No rule was changed.", next_step=next_step)
