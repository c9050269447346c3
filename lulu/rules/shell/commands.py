"""Every command that a bash command may run, for deny rules: one suspicion is enough.

A deny rule guards against accidents and careless agents. It cannot be a wall: a program may do anything, and so may
``python -c …``, a downloaded script, or a variable that is only known when the command runs.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lulu.rules.shell.expansions import printed
from lulu.rules.shell.invocations import STARTS, Invocations, invocations
from lulu.rules.shell.options import risks, writes_to
from lulu.rules.shell.parser import Known, Part, Script, read_script
from lulu.rules.shell.programs import FIND_ACTIONS, FINDERS, RUN_OPTIONS, RUNNERS, SHELLS, WRITERS
from lulu.rules.shell.words import Word, spread
from lulu.rules.text_globs import TextGlob

_GLOB_SIGNS = re.compile(r"[*?\[]")
_ROUGHLY = re.compile(r"[;&|\n()`{}'\"]+")
_MAY_BE_SCRIPT = re.compile(r"[\s;&|$`(]")
_NAME = re.compile(r"[\w.-]+")
#: Names of options and variables whose value is run.
_RUNS = re.compile(
    r"exec|command|cmd|action|program|pager|editor|visual|browser|askpass|rsh|-pack|external|entrypoint|--pre$|^shell$|^lessopen$|^git_config_value",
    re.IGNORECASE,
)
#: Signs before a path inside an argument: --file=x, if=x, @x, host:x, a,b.
_PATH_PIECES = re.compile(r"[=:,@]")

#: Most levels of commands in commands, characters of one command, and words that may be files.
_DEPTH, _READ, _FILES = 6, 50_000, 1_500
_EXPANSION = re.compile(r"\$[\w{(@*]|`")
#: Signs between words that may become a program's name; a comma counts because of ``IFS``.
_PIECES = re.compile(r"[;&|\n()`{}'\"<>=]+")
#: Constructs that pass the words of a command to another one: a function, a substitution, a text that is read.
_HANDS_ON = re.compile(r"\(\s*\)|\bfunction\b|[$<>]\(|`|\b(?:read|mapfile|readarray)\b")
#: Arguments with which a program may set the name of the next one: ``eval``, ``export``, ``set``, ``printf -v``.
_SETS = re.compile(r"(?<![\w-])[A-Za-z_]\w*(?:\[[^]]*\])?\+?=|(?<!\S)--?(?!\S)|(?<!\S)-\w*v|<<")
#: Names of programs that are set without a name: ``set rm; $1``.
_POSITIONS = re.compile(r"\$\{?[!#]?(?:[1-9@*]|OPTARG\b)")
#: Most programs whose name is unknown that are looked for.
_UNKNOWN = 5
#: Most words of a loop that are tried.
_CHOICES = 30
#: Most characters that are parsed in all: commands in commands are parsed again.
_BUDGET = 150_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A command that may be run, in one spelling."""

    text: str
    #: Whether a glob may select its program.
    globbed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FileWord:
    """An argument that may be a path."""

    text: str
    #: Whether the command may change the file.
    writes: bool
    #: Folders that an earlier ``cd`` may have changed to.
    folders: tuple[str, ...]
    #: Whether its ``*``, ``?`` and ``[`` are wildcards.
    globbed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Commands:
    """A parsed bash command, for deny and approve rules."""

    #: The command itself, for approve rules.
    script: Script
    candidates: tuple[Candidate, ...]
    files: tuple[FileWord, ...]


def read_commands(command: str) -> Commands:
    """Parse everything in a command that rules look at. Never raises."""
    return _cached(command) if len(command) <= 20_000 else _read(command)


def denies(glob: TextGlob, candidate: Candidate) -> bool:
    """Whether a deny pattern matches this candidate."""
    if glob.matches(candidate.text):
        return True
    if candidate.globbed and glob.program:
        program, blank, arguments = candidate.text.partition(" ")
        # An unclosed `[` is a plain character. For each one, fnmatch would scan the rest of the text.
        closed, bracket, rest = program.rpartition("/")[2].rpartition("]")
        named = fnmatch.fnmatchcase(glob.program, closed + bracket + rest.replace("[", "[[]"))
        return named and glob.matches(glob.program + blank + arguments)
    return False


@lru_cache(maxsize=128)
def _cached(command: str) -> Commands:
    return _read(command)


def _read(command: str) -> Commands:
    found = _Finder()
    found.add(command.strip())
    script = found.read(command[:_READ], _DEPTH)
    for text in _told_elsewhere(command[:_READ], found.unknown):
        found.add(text)
    if len(command) > _READ or found.exhausted:
        # Too long to parse: every text behind a sign that may begin a command counts as one.
        for piece in _ROUGHLY.split(command):
            found.add(piece.strip())
    return Commands(
        script=script,
        candidates=tuple(
            Candidate(text=text, globbed=bool(_GLOB_SIGNS.search(text.partition(" ")[0]))) for text in found.texts
        ),
        files=tuple(found.files),
    )


class _Finder:
    """Collects candidates and files from a script and from the scripts inside it."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        self.files: dict[FileWord, None] = {}
        #: Whether a part of it was not parsed.
        self.exhausted = False
        #: Parts whose program is only known when they run: the part as written, and its arguments.
        self.unknown: dict[str, str] = {}
        self._budget = _BUDGET
        self._known = Known()
        #: Scripts that were parsed, with the values and the number of folders known at that time.
        self._seen: set[tuple[str, frozenset[tuple[str, str]], int]] = set()

    def add(self, text: str) -> None:
        if text:
            self.texts[text] = None

    def read(self, text: str, depth: int) -> Script:
        self._budget -= len(text)
        values = dict(self._known.values)
        script = read_script(text, self._known)
        self._script(script, depth)
        choices, self._known.choices = self._known.choices, 1
        if script.guessed:
            # The substitution may print another text, or none.
            self._script(read_script(text, Known(values=dict(values), depth=0)), depth)
        for choice in range(1, min(choices, _CHOICES)):
            self._budget -= len(text)
            if self._budget > 0:
                self._script(read_script(text, Known(values=dict(values), choice=choice)), depth)
        return script

    def _script(self, script: Script, depth: int) -> None:
        self.exhausted = self.exhausted or script.tangled
        fed = max((at for at, part in enumerate(script.parts) if part.piped and part.runs.names & SHELLS), default=0)
        nested = list(script.inner)
        for at, part in enumerate(script.parts):
            self._part(part)
            # `$X -c 'rm x'`: an unknown program may be a shell.
            if at < fed or part.runs.possible or part.runs.names & (RUNNERS | {""}):
                nested += _texts_to_run(part)
            if "alias" in part.runs.names:
                nested += [word.text.partition("=")[2] for word in part.words if "=" in word.text]
            nested += _handed_over(part)
            if at < fed:
                nested.append(" ".join(word.text for word in part.words[1:]))
        for at, given in script.given:
            if at < fed or (at < len(script.parts) and script.parts[at].runs.names & SHELLS):
                nested.append(given)
        if any(part.runs.names & SHELLS for part in script.parts):
            # `source <(echo rm x)`
            nested += [text for text in map(_printed_by, script.inner) if text]
        for inner in nested:
            state = (inner, frozenset(self._known.values.items()), len(self._known.folders))
            if state in self._seen:
                continue
            self._seen.add(state)
            if depth and len(inner) <= self._budget:
                self.read(inner, depth - 1)
            else:
                self.exhausted = True

    def _part(self, part: Part) -> None:
        self.add(part.written)
        is_test = part.written.startswith("[[")
        if part.words and not is_test and not part.words[0].text and _EXPANSION.search(part.words[0].raw):
            self.unknown[part.written] = " ".join(word.text for word in part.words[1:])
        self._files_of(part)
        self.add(" ".join(word.raw for word in part.words))
        self._commands(part.words, part.runs)
        words = spread(part.words)
        if words != part.words:
            self._commands(words, invocations(words))

    def _commands(self, words: tuple[Word, ...], runs: Invocations) -> None:
        texts = [word.text for word in words]
        for run in runs.all:
            self._command(texts[run.at :])

    def _command(self, texts: list[str]) -> None:
        # A value may contain several words, or none.
        program, _, rest = " ".join(texts).strip().partition(" ")
        for name in _spellings(program):
            self.add(f"{name} {rest}".strip())
            words = rest.split(" ")
            for count in _skipped(words):
                self.add(" ".join([name, *words[count:]]))

    def _files_of(self, part: Part) -> None:
        words = [
            *((target, each.writes) for each in part.redirections if each.is_file for target in spread([each.target])),
            *_file_words(part),
        ]
        for word, writes in words[: max(0, _FILES - len(self.files))]:
            # `-o/etc/x`
            text = word.text[2:] if re.match(r"-[A-Za-z]/", word.text) else word.text
            pieces = [text, *(_PATH_PIECES.split(text)[:5] if _PATH_PIECES.search(text) else ())]
            for piece in dict.fromkeys(piece for piece in pieces if piece):
                found = FileWord(text=piece, writes=writes, folders=part.folders, globbed=word.globbed)
                self.files[found] = None


def _told_elsewhere(command: str, unknown: dict[str, str]) -> Iterator[str]:
    """Yield commands that a program with an unknown name may be, from all words of the command.

    Examples: ``while read c; do $c x; done <<< rm``, ``a=(rm y); "${a[@]}"``, ``f() { "$@"; }; f rm y``. Arguments of
    such programs are left out, unless the command passes words on: ``f() { "$@"; }; $SUDO f rm y``, ``$E X=rm; $X y``.
    """
    others = command
    for written in sorted(unknown, key=len, reverse=True):
        others = others.replace(written, ";")
    hands_on = _HANDS_ON.search(others) or _POSITIONS.search(command) or any(map(_SETS.search, unknown))
    for written, arguments in [*unknown.items()][:_UNKNOWN]:
        for piece in _PIECES.split(command.replace(written, ";", 1) if hands_on else others):
            words = piece.replace(",", " ").split()
            for at in range(min(len(words), _CHOICES)):
                yield " ".join(words[at:])
                yield f"{words[at]} {arguments}"


def _file_words(part: Part) -> Iterator[tuple[Word, bool]]:
    """Yield the words of a command that may be files, each with whether it may be changed."""
    writes_all, before = bool(part.runs.names & WRITERS), ""
    writes_all |= bool(part.runs.names & FINDERS) and any(word.text in FIND_ACTIONS for word in part.words)
    risky = {risk.text for run in part.runs.all for risk in risks(run)}
    for word in spread(part.words):
        yield word, writes_all or word.text in risky or any(writes_to(run, word, before) for run in part.runs.all)
        before = word.text


def _spellings(program: str) -> Iterator[str]:
    # For zsh, `=rm` is the path of `rm`.
    name = program.rpartition("/")[2].removeprefix("=")
    yield from dict.fromkeys((program, name, name.lower()))


def _skipped(words: list[str]) -> Iterator[int]:
    """Yield how many words behind the program may be options with values, before the first operand."""
    behind_option = False
    for at, word in enumerate(words[:STARTS]):
        option = word.startswith("-")
        if at and (option or behind_option):
            yield at
        elif at:
            yield at
            return
        if not option and not behind_option:
            return
        behind_option = option


def _printed_by(text: str) -> str:
    parts = read_script(text[:_READ]).parts
    return "\n".join(printed([word.text for word in part.words]) for part in parts)


def _handed_over(part: Part) -> Iterator[str]:
    """Yield texts that an option or a variable makes a program run, as in ``PAGER='rm x'``."""
    options = {RUN_OPTIONS[name] for name in part.runs.names & RUN_OPTIONS.keys()}
    before, is_git = "", "git" in part.runs.names
    # `git config alias.x '!rm x'`, `git grep -O'rm x'`
    marks = tuple(mark for mark, at in (("!", "config"), ("-O", "grep")) if any(word.text == at for word in part.words))
    if is_git and any(word.text.startswith("--config-env") for word in part.words):
        yield from (word.text.partition("=")[2] for word in part.assignments)
    for word in (*part.assignments, *part.words[:STARTS]):
        name, given, value = word.text.partition("=")
        if before in options:
            # `-c '!rm x'`, `-c alias.x='!rm x'`, `-o ProxyCommand='rm x'`
            named = given and _NAME.fullmatch(name)
            # Most settings of git may name a program, but no person's name does.
            setting = is_git and not name.lower().startswith(("author.", "committer.", "user."))
            if not named or setting or value.startswith("!") or _RUNS.search(name):
                yield (value if named else word.text).lstrip("!:")
        elif given and (name in options or _RUNS.search(name)):
            yield value.lstrip("!|").removeprefix("exec=")
        elif before.startswith("--") and not word.text.startswith("-") and _RUNS.search(before):
            yield word.text
        if is_git and marks and word.text.startswith(marks):
            yield word.text.removeprefix("-O").lstrip("!")
        before = word.text


def _texts_to_run(part: Part) -> Iterator[str]:
    for word in part.words[:STARTS]:
        # `env -S 'rm x'`, `--split-string='rm x'`, `-S'rm x'`
        texts = [word.text, word.text.partition("=")[2]] if word.text.startswith("-") else [word.text]
        texts += [word.text[2:]] if re.match(r"-[A-Za-z]", word.text) else []
        yield from (text for text in texts if _MAY_BE_SCRIPT.search(text))
