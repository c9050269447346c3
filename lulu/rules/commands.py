"""Every command that a bash command may run, for deny rules: one suspicion is enough.

A deny rule guards against accidents and careless agents. It cannot be a wall: a program may do anything, and so may
``python -c …``, a downloaded script, or a variable that is only known when the command runs.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from lulu.rules.checks import Check
from lulu.rules.programs import FIND_ACTIONS, RUNNERS, SHELLS, WRITERS
from lulu.rules.shell import Part, Script, read_script
from lulu.rules.text_globs import TextGlob

_GLOB_SIGNS = re.compile(r"[*?\[]")
_ROUGHLY = re.compile(r"[;&|\n()`{}'\"]+")
_MAY_BE_SCRIPT = re.compile(r"[\s;&|$`(]")
#: What a program may take for the path in one of its arguments: --file=x, if=x, @x, host:x, a,b.
_PATH_PIECES = re.compile(r"[=:,@]")

#: How deep commands in commands are read, how much of one, and how many words of one may start a command.
_DEPTH, _READ, _STARTS, _FILES = 6, 50_000, 40, 300
#: How many characters are read in all, for commands in commands are read once more.
_BUDGET = 150_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A command that may be run, in one of its spellings."""

    text: str
    #: What was looked through to find it.
    by: frozenset[Check]
    #: Whether its program may be any of several.
    globbed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FileWord:
    """An argument that may be a path."""

    text: str
    #: The command may change the file.
    writes: bool
    #: Where ``cd`` may have led before it.
    folders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Commands:
    """A bash command, read for both sides."""

    #: The command itself, for approval.
    script: Script
    candidates: tuple[Candidate, ...]
    files: tuple[FileWord, ...]


def read_commands(command: str) -> Commands:
    """Everything that rules may look at in a command. Never raises."""
    return _cached(command) if len(command) <= 20_000 else _read(command)


def denies(glob: TextGlob, candidate: Candidate, checks: frozenset[Check]) -> bool:
    """Whether a deny rule's pattern takes this candidate."""
    if not candidate.by <= checks:
        return False
    if glob.matches(candidate.text):
        return True
    if candidate.globbed and glob.program and Check.PROGRAM_GLOB in checks:
        program, blank, arguments = candidate.text.partition(" ")
        named = fnmatch.fnmatchcase(glob.program, program.rpartition("/")[2])
        return named and glob.matches(glob.program + blank + arguments)
    return False


@lru_cache(maxsize=128)
def _cached(command: str) -> Commands:
    return _read(command)


def _read(command: str) -> Commands:
    found = _Finder()
    found.add(command.strip(), frozenset())
    script = found.read(command[:_READ], frozenset(), _DEPTH)
    if len(command) > _READ or found.exhausted:
        # Too much to read well, so read badly: whatever stands behind a sign that may begin a command is one.
        for piece in _ROUGHLY.split(command):
            found.add(piece.strip(), frozenset({Check.ANY_PART}))
    return Commands(
        script=script,
        candidates=tuple(
            Candidate(text=text, by=by, globbed=bool(_GLOB_SIGNS.search(text.partition(" ")[0])))
            for text, all_by in found.texts.items()
            for by in all_by
        ),
        files=tuple(found.files),
    )


class _Finder:
    """Collects candidates and files from a script and from the scripts inside it."""

    def __init__(self) -> None:
        self.texts: dict[str, list[frozenset[Check]]] = {}
        self.files: list[FileWord] = []
        #: Whether some of it was not read.
        self.exhausted = False
        self._budget = _BUDGET
        self._folders: list[str] = []

    def add(self, text: str, by: frozenset[Check]) -> None:
        known = self.texts.setdefault(text, [])
        if text and not any(each <= by for each in known):
            known.append(by)

    def read(self, text: str, by: frozenset[Check], depth: int) -> Script:
        self._budget -= len(text)
        script = read_script(text)
        if len(script.parts) > 1:
            by |= {Check.ANY_PART}
        fed = max((at for at, part in enumerate(script.parts) if part.piped and _programs(part) & SHELLS), default=0)
        nested: list[tuple[str, Check]] = [(inner, Check.INSIDE) for inner in script.inner]
        for at, part in enumerate(script.parts):
            self._part(part, by)
            if at < fed or _programs(part) & RUNNERS:
                nested += [(text, Check.RUN_TEXT) for text in _texts_to_run(part)]
            if at < fed:
                nested.append((" ".join(word.text for word in part.words[1:]), Check.RUN_TEXT))
        for at, given in script.given:
            if at < fed or (at < len(script.parts) and _programs(script.parts[at]) & SHELLS):
                nested.append((given, Check.RUN_TEXT))
        for inner, check in nested:
            if depth and len(inner) <= self._budget:
                self.read(inner, by | {check}, depth - 1)
            else:
                self.exhausted = True
        return script

    def _part(self, part: Part, by: frozenset[Check]) -> None:
        self.add(part.written, by)
        self._files_of(part)
        if part.assignments:
            by |= {Check.PAST_ASSIGNMENT}
        if part.redirections:
            by |= {Check.PAST_REDIRECTION}
        if part.after_keyword:
            by |= {Check.PAST_KEYWORDS}
        self.add(" ".join(word.raw for word in part.words), by)
        if any(word.expanded for word in part.words):
            by |= {Check.VALUES}
        texts = [word.text for word in part.words]
        if texts != [word.raw for word in part.words] and Check.VALUES not in by:
            by |= {Check.QUOTES}
        raw = part.words[0].raw if part.words else ""
        if raw.startswith("{") and "," in raw:
            texts[:1] = raw.strip("{}").split(",")
            by |= {Check.BRACES}
        for start, start_by in _starts(texts):
            self._command(texts[start:], by | start_by)

    def _command(self, texts: list[str], by: frozenset[Check]) -> None:
        # A value may hold several words, or none.
        program, _, rest = " ".join(texts).strip().partition(" ")
        for name, name_by in _spellings(program):
            self.add(f"{name} {rest}".strip(), by | name_by)
            words = rest.split(" ")
            for count in _skipped(words):
                self.add(" ".join([name, *words[count:]]), by | name_by | {Check.OPTIONS})

    def _files_of(self, part: Part) -> None:
        programs = _programs(part)
        writes = bool(programs & WRITERS)
        folders = tuple(self._folders)
        words = [(word.text, writes) for word in part.words]
        words += [(each.target.text, each.writes) for each in part.redirections if each.is_file]
        for text, written in words[: _FILES - len(self.files)]:
            pieces = [text, *(_PATH_PIECES.split(text)[:5] if _PATH_PIECES.search(text) else ())]
            for piece in dict.fromkeys(piece for piece in pieces if piece):
                self.files.append(FileWord(text=piece, writes=written, folders=folders))
        if programs & {"cd", "pushd"} and len(part.words) > 1:
            folder = part.words[-1].text
            before = self._folders[-1] if self._folders else "."
            self._folders.append(folder if folder.startswith(("/", "~")) else f"{before}/{folder}")


def _programs(part: Part) -> set[str]:
    """The names of the program, and of those that it may run."""
    texts = [word.text for word in part.words]
    return {_name(texts[start]) for start, _ in _starts(texts)} if texts else set()


def _starts(texts: list[str]) -> Iterator[tuple[int, frozenset[Check]]]:
    """Where a command may begin: at the first word, and behind a program that runs others."""
    yield 0, frozenset()
    if not texts:
        return
    behind: Iterable[int] = ()
    if _name(texts[0]) == "find":
        actions = [at + 1 for at, text in enumerate(texts[:-1]) if text in FIND_ACTIONS][:_STARTS]
        # `-exec sudo rm`
        nested = [range(at, at + _STARTS) if _name(texts[at]) in RUNNERS else [at] for at in actions[:3]]
        behind = sorted({*actions, *(at for each in nested for at in each if at < len(texts))})
    elif _name(texts[0]) in RUNNERS:
        behind = range(1, min(len(texts), _STARTS))
    for at in behind:
        yield at, frozenset({Check.RUNNERS})


def _name(text: str) -> str:
    """The name of a program, however it is called."""
    return text.strip().partition(" ")[0].rpartition("/")[2].lower()


def _spellings(program: str) -> Iterator[tuple[str, frozenset[Check]]]:
    yield program, frozenset()
    # To zsh, `=rm` is the path of `rm`.
    name = program.rpartition("/")[2].removeprefix("=")
    if name != program:
        yield name, frozenset({Check.PROGRAM_PATH})
    if name.lower() != name:
        by = {Check.PROGRAM_CASE} | ({Check.PROGRAM_PATH} if name != program else set())
        yield name.lower(), frozenset(by)


def _skipped(words: list[str]) -> Iterator[int]:
    """How many words behind the program may be options and their values, so that the next is what it does."""
    behind_option = False
    for at, word in enumerate(words[:_STARTS]):
        option = word.startswith("-")
        if at and (option or behind_option):
            yield at
        elif at:
            yield at
            return
        if not option and not behind_option:
            return
        behind_option = option


def _texts_to_run(part: Part) -> list[str]:
    return [word.text for word in part.words[:_STARTS] if _MAY_BE_SCRIPT.search(word.text)]
