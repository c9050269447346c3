"""Keep agents' file tools out of Lulu's own files: the data folder, and a database elsewhere.

``lulu.engine.permissions`` calls ``reaches_into`` for each call. Shell commands are not covered: see docs/security.md.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lulu.model.claude_tools import EDIT_RULES, ELICITATION, FILE_TOOLS, KNOWN, PATH_FIELDS, READ_RULES, SEARCHING
from lulu.rules.glob_overlap import names_overlap, paths_overlap
from lulu.rules.shell.expansions import MOST_BRACES, braces

#: Tools without paths in their input. In any other tool (of an MCP server, or a new one) every text may be a path.
_NO_FILES = KNOWN - FILE_TOOLS - {ELICITATION}
#: Characters that programs remove before they read a path.
_BLANKS = " \t\r\n\v\f\u00a0\ufeff\u2028\u2029"
_QUOTES = _BLANKS + "'\"`"
#: Suffixes of the database's files: its logs, lock, copies, and the rest of a damaged one.
_BESIDE = ("", "-*", ".*")
_SIDE_FILES = ("", "-wal", "-shm", "-journal", ".lock", ".owner", ".migrating")
_WILD = re.compile(r"[*?\[]|[!+]\(")
_CHOICE = re.compile(r"@\(([^()]*)\)")
#: The part of an address before the path: ``file:``, ``jdbc:sqlite:``, with the host in ``vscode://file/…``.
_SCHEMES = re.compile(r"(?:[A-Za-z][\w+.-]*:)+")
_OWN_FOLDER = re.compile(r"/proc/(?:self|thread-self)(?:/task/\d+)?/cwd")
#: The most entries of folders that are read for a glob that may lead through links.
_ENTRIES = 2_000
#: The most folders of a call, and the most of its names, that are combined.
_FOLDERS, _NAMES = 8, 1_000
#: Longer texts are no path on any system.
_MOST = 4_096
#: The message to the agent.
REFUSED = "This is Lulu's own data folder. It is not part of the work: leave it alone."


def rules(folder: Path, database: Path | None = None) -> list[str]:
    """Return Claude Code's deny rules for the folder and the database, for searches from above, too."""
    places = [f"{_escaped(each)}/**" for each in _spellings_of(folder)]
    places += [f"{_escaped(each)}{more}" for each in _outside(folder, database) for more in _BESIDE]
    return [f"{tool}(/{place})" for place in places for tool in (READ_RULES[0], EDIT_RULES[0])]


def reaches_into(
    folder: Path,
    working_directory: str,
    tool_name: str,
    tool_input: Mapping[str, object],
    *,
    database: Path | None = None,
) -> bool:
    """Whether a call names a path inside the folder, or the database. Resolves links, globs and ``~``."""
    private = _Private(folder, database)
    is_search = tool_name in SEARCHING
    base = tool_input.get("path") if is_search else None
    texts = list(_texts(tool_name, tool_input))
    folders = [base] if isinstance(base, str) else [] if is_search else _folders(tool_name, tool_input)
    if is_search and not base:
        # A search without a path covers the working directory.
        texts.append(".")
    if is_search and any(_is_endless(text) for text in texts):
        return True
    starts = [working_directory]
    starts += [os.path.join(working_directory, os.path.expanduser(each)) for one in folders for each in _plain(one)]  # noqa: PTH111, PTH118
    starts = list(dict.fromkeys(starts))
    for place, text in enumerate(texts):
        for spelling in _plain(text):
            is_joined = place < _NAMES and not spelling.startswith(("/", "~"))
            if any(private.holds(start, spelling) for start in (starts if is_joined else starts[:1])):
                return True
    return False


class _Private:
    """The closed paths."""

    def __init__(self, folder: Path, database: Path | None) -> None:
        self._folder = folder.resolve()
        self._databases = _outside(folder, database)
        self._entries = _ENTRIES

    def holds(self, start: str, text: str) -> bool:
        """Whether ``text``, relative to ``start``, leads to a closed path."""
        try:
            place = Path(start, _own_process(start, Path(text).expanduser()))
            parts = place.parts
            first = next((at for at, part in enumerate(parts) if _WILD.search(part)), len(parts))
            if self._is_closed(place.resolve()):
                return True
            return first < len(parts) and self._globs(Path(*parts[:first]).resolve(), parts[first:])
        except (OSError, RuntimeError, ValueError):
            return False

    def _is_closed(self, place: Path) -> bool:
        if any(_is_same(each, self._folder) for each in (place, *place.parents)):
            return True
        for database in self._databases:
            name, own = place.name.casefold(), database.name.casefold()
            if (name == own or name.startswith((f"{own}-", f"{own}."))) and _is_same(place.parent, database.parent):
                return True
        return self._is_hard_link(place)

    def _globs(self, top: Path, parts: tuple[str, ...]) -> bool:
        """Whether the glob ``parts``, below ``top``, may match a closed path."""
        closed = [(*map(_escaped, self._folder.parts), "**")]
        for each in self._databases:
            # Not a pattern: every glob would match some ending of it, as in main.db.* and **/*.py.
            closed += [(*map(_escaped, each.parent.parts), _escaped(each.name + more)) for more in _SIDE_FILES]
        above = tuple(map(_escaped, top.parts))
        for wanted in closed:
            if wanted[: len(above)] == above and paths_overlap(wanted[len(above) :], parts):
                return True
        first, *rest = parts
        if first == "**":
            return False
        # An entry that the first part matches may be a link.
        with os.scandir(top) as found:
            entries = list(islice(found, self._entries))
        self._entries -= len(entries)
        for entry in entries:
            if not names_overlap(entry.name, first):
                continue
            place = Path(entry.path).resolve() if entry.is_symlink() else Path(entry.path)
            if first.strip("*") and entry.is_symlink() and self._is_closed(place):
                return True
            if rest and self._entries > 0 and entry.is_dir() and self._globs(place, tuple(rest)):
                return True
        return False

    def _is_hard_link(self, place: Path) -> bool:
        """Whether the file is a hard link to one of Lulu's."""
        try:
            found = place.stat()
        except OSError:
            return False
        if not stat.S_ISREG(found.st_mode) or found.st_nlink < 2:
            return False
        own = (path for path in self._folder.rglob("*"))
        beside = (path for each in self._databases for path in each.parent.glob(f"{_escaped(each.name)}*"))
        return any(os.path.samestat(found, path.lstat()) for each in (own, beside) for path in each)


def _texts(tool_name: str, tool_input: Mapping[str, object]) -> Iterator[str]:
    """Yield the texts of the input that may be paths."""
    if tool_name in FILE_TOOLS:
        for argument in PATH_FIELDS[tool_name]:
            text = tool_input.get(argument)
            if isinstance(text, str):
                yield text
                # One argument may have several globs.
                yield from re.split(r"[,\s]+(?![^{]*\})", text) if argument == "glob" else ()
    elif tool_name not in _NO_FILES:
        # A single word is no path, unless the call has a folder that may contain it.
        alone = bool(_folders(tool_name, tool_input))
        yield from (text for text in _leaves(tool_input, 0) if alone or re.search(r"[/~]", text))


def _folders(tool_name: str, tool_input: Mapping[str, object]) -> list[str]:
    """Return texts of an unknown tool that may be folders for names in its other texts."""
    if tool_name in FILE_TOOLS or tool_name in _NO_FILES:
        return []
    return [text for text in _leaves(tool_input, 0) if text.startswith(("/", "~")) and len(text) < _MOST][:_FOLDERS]


def _leaves(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list) and depth < 20:
        for each in [*value, *value.values()] if isinstance(value, Mapping) else value:
            yield from _leaves(each, depth + 1)


def _is_endless(text: str) -> bool:
    """Whether a glob is longer, or has more alternatives, than are checked."""
    return len(os.path.normpath(text)) > _MOST or len(braces(text)) >= MOST_BRACES


def _plain(text: str) -> list[str]:
    """Return the paths that a program may read in the text."""
    if len(text) > _MOST:
        # Dots and slashes alone may have made it longer than a path can be.
        text = os.path.normpath(text)
    if len(text) > _MOST:
        return []
    spellings = [text, text.strip(_QUOTES), os.path.expandvars(text), re.sub(r"\\(.)", r"\1", text)]
    # `@(a|b)` is `{a,b}`.
    spellings.append(_CHOICE.sub(lambda found: f"{{{found[1].replace('|', ',')},{found[1].partition('|')[0]}}}", text))
    scheme = _SCHEMES.match(spellings[1])
    if scheme and not spellings[1].lower().startswith(("http:", "https:")):
        rest = spellings[1][scheme.end() :]
        with suppress(ValueError):
            spellings += [unquote(urlsplit(f"file:{rest}").path), f"/{unquote(rest).lstrip('/')}"]
    return list(dict.fromkeys(spelling for each in spellings for spelling in (each, *braces(each))))


def _own_process(start: str, path: Path) -> Path:
    """Return the path without ``/proc/self/cwd``, because every process has its own."""
    for at in range(2, len(path.parts) + 1):
        if _OWN_FOLDER.fullmatch(os.path.normpath(Path(*path.parts[:at]))):
            return Path(start, *path.parts[at:])
    return path


def _is_same(place: Path, other: Path) -> bool:
    """Whether both are the same folder, also on a case-insensitive file system."""
    if place == other:
        return True
    if place.name.casefold() != other.name.casefold():
        return False
    try:
        return place.samefile(other)
    except OSError:
        return False


def _spellings_of(path: Path) -> list[Path]:
    return list(dict.fromkeys((path, path.resolve())))


def _outside(folder: Path, database: Path | None) -> list[Path]:
    """Return the spellings of a database outside of the folder."""
    if database is None or database.resolve().is_relative_to(folder.resolve()):
        return []
    return _spellings_of(database)


def _escaped(path: Path | str) -> str:
    return re.sub(r"([\\*?\[\]])", r"\\\1", path.as_posix() if isinstance(path, Path) else path)
