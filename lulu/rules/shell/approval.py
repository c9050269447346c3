"""The parts of a bash command that approve rules have to approve. Any doubt asks a person."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lulu.rules.shell.harmless import HARMLESS
from lulu.rules.shell.invocations import Invocation, Invocations, only_looks, program_name
from lulu.rules.shell.options import Risk, names, risks, run_by
from lulu.rules.shell.parser import ASSIGNMENT, Part, Script
from lulu.rules.shell.programs import (
    CHANGING_FOLDER,
    CHANGING_SHELL,
    EXEC_WRAPPERS,
    FIND_ACTIONS,
    FINDERS,
    KEYWORDS,
    RUNNING,
    SAFE_VARIABLES,
    SPEAKING,
    WRAPPERS,
)
from lulu.rules.shell.words import Word
from lulu.rules.text_globs import TextGlob

#: Longer commands are not approved by rule, as in Claude Code.
MAX_COMMAND = 10_000

#: A file name that every shell reads in the same way.
_PLAIN_FILE = re.compile(r"[\w./][\w./@%+,:=-]*")
#: A value that no shell computes: for zsh COLUMNS and LINES are numbers, and an index in them can run commands.
_PLAIN_VALUE = re.compile(r"[\w./:,+@%-]*")
#: Appended if the program gets arguments that the command does not contain.
_UNSEEN = " \0"
#: Signs with which a pattern quotes spaces.
_QUOTING = re.compile(r"['\"]|\\(?!\*)")
#: Replaces a space inside a word: the spaces of a pattern separate words.
_INSIDE = "\x1f"
#: Words between a wrapper and the program that it runs.
_OPTION_OR_NUMBER = re.compile(r"-.*|[\d.]+[A-Za-z]?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """One form of a command: with or without its wrappers."""

    #: As written.
    text: str
    #: Without quotes, each word in one piece.
    meant: str
    #: How many characters a pattern must spell out to name the innermost program; 0 without wrappers.
    names: int
    #: Whether the program gets arguments that the command does not contain.
    more: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One thing that a rule must approve."""

    #: Its text for a person.
    shown: str
    #: A part of the command …
    part: Part | None = None
    #: Its forms, with and without the wrappers around it.
    forms: tuple[Form, ...] = ()
    #: The arguments that only a rule with their names may approve.
    risks: tuple[Risk, ...] = ()
    #: … or a file that it opens besides its arguments.
    file: str = ""
    #: The part that opens the file.
    owner: Part | None = None
    writes: bool = False


def doubts(command: str, script: Script, is_inside: Callable[[str], bool]) -> list[str]:
    """Return why only an exact pattern can approve this command, as ends of a sentence.

    Empty if there is no doubt. ``is_inside`` returns whether a folder is the session's or below it.
    """
    found = [*script.doubts]
    if len(command) > MAX_COMMAND:
        found.append(f"it is longer than {MAX_COMMAND:,} characters")
    found += _changed_folder(script, is_inside)
    found += _changed_shell(script)
    if not script.parts:
        found.append("it is empty")
    return found


def needs(script: Script) -> list[Need]:
    """Return everything in the command that needs an approval."""
    found: list[Need] = []
    for part in script.parts:
        forms = tuple(_forms(part)) if part.words and not _unsafe(part) else ()
        risky = tuple(risk for run in _run_by(part) for risk in risks(run))
        found.append(Need(shown=part.written, part=part, forms=forms, risks=risky))
        for each in part.redirections:
            is_plain = each.target.raw == each.target.text and _PLAIN_FILE.fullmatch(each.target.text)
            if not each.is_file or (is_plain and each.target.text == "/dev/null"):
                continue
            # A name that is not plain gets \0, which no path pattern matches.
            name = each.target.text if is_plain else "\0"
            shown = f"{each.operator} {each.target.raw}"
            found.append(Need(shown=shown, file=name, owner=part, writes=each.writes))
    return found


def approves_part(glob: TextGlob, need: Need) -> bool:
    """Whether the pattern matches this simple command. Files that it redirects to do not count."""
    if need.part is not None and glob.exact == need.part.written:
        return True
    if glob.exact is None and unnamed(glob, need) is not None:
        return False
    return any(_approves_form(glob, form, need) for form in need.forms)


def unnamed(glob: TextGlob, need: Need) -> str | None:
    """Return the first risky argument that the pattern does not name; None if it names all.

    A risky argument may write to another place, run a program or send data.
    """
    return next((risk.text for risk in need.risks if not names(glob, risk)), None)


def _unsafe(part: Part) -> bool:
    """Whether variables are set that may change the command."""
    # `time X=1 git` sets a variable, too.
    behind = [part.words[run.at] for run in part.runs.chain[1:]]
    if any(ASSIGNMENT.match(word.text) or word.text in KEYWORDS for word in behind):
        return True
    return not all(map(_is_safe, part.assignments))


def _is_safe(word: Word) -> bool:
    """Whether the variable changes no program's behaviour."""
    name, _, value = word.text.partition("=")
    return name in SAFE_VARIABLES and _PLAIN_VALUE.fullmatch(value) is not None


def _approves_form(glob: TextGlob, form: Form, need: Need) -> bool:
    if not glob.matches(form.text):
        return False
    if glob.exact is not None:
        # An exact pattern does not match a command with further arguments.
        return not form.more
    if not _QUOTING.search(glob.text) and not glob.matches(form.meant):
        return False
    unnamed_program = len(glob.pieces[0]) < len(form.text.partition(" ")[0])
    for run in _run_by(need.part):
        if unnamed_program and _runs_more(run):
            return False
        if run.name in EXEC_WRAPPERS:
            return False
        if run.name in FINDERS and (run.more or any(map(_may_act, run.arguments))):
            return False
    if form.more and not glob.matches(form.text + _UNSEEN):
        return False
    # `timeout 30 npm *` names the program; `timeout *` does not.
    return len(glob.pieces[0]) >= form.names


def _runs_more(run: Invocation) -> bool:
    """Whether the program may run another one, or code. ``bash --version`` alone does not."""
    alone = len(run.arguments) == 1 and run.arguments[0].text in SPEAKING
    return not alone and (run.name in RUNNING or run.name.rstrip("0123456789.-") in RUNNING)


def _may_act(word: Word) -> bool:
    """Whether ``find`` may read the word as an action. A file's name may look like one."""
    return word.text in FIND_ACTIONS or (
        word.globbed and any(fnmatch.fnmatchcase(action, word.text) for action in FIND_ACTIONS)
    )


def _run_by(part: Part | None) -> tuple[Invocation, ...]:
    """Return every program to check; for a wrapper that cannot be parsed, all that it may run."""
    if part is None:
        return ()
    runs = part.runs
    if not _is_wrapping(runs):
        return (*runs.chain, *(inner for run in runs.chain[-1:] for inner in run_by(run)))
    more = runs.chain[-1].name == "xargs"
    return runs.chain + tuple(replace(each, more=more) for each in runs.possible)


def _is_wrapping(runs: Invocations) -> bool:
    last = runs.chain[-1] if runs.chain else None
    return last is not None and last.name in WRAPPERS and last.arguments != () and not only_looks(last)


def _forms(part: Part) -> Iterator[Form]:
    """Yield the command as written, and without each wrapper; the last form is the innermost."""
    raws = [word.raw for word in part.words]
    meant = [word.text.replace(" ", _INSIDE) for word in part.words]
    chain = part.runs.chain
    inner = chain[-1].at
    if _is_wrapping(part.runs):
        behind = range(inner + 1, len(raws))
        inner = next((at for at in behind if not _OPTION_OR_NUMBER.fullmatch(part.words[at].text)), inner)
    for run in chain:
        if run.plain:
            yield Form(
                text=" ".join(raws[run.at :]),
                meant=" ".join(meant[run.at :]),
                names=len(" ".join(raws[run.at : inner + 1])) if inner > run.at else 0,
                # The program behind `xargs` gets more arguments, and so does the command as a whole.
                more=chain[-1].more,
            )


def _changed_folder(script: Script, is_inside: Callable[[str], bool]) -> Iterator[str]:
    """Yield doubts about a changed folder. git follows the settings of any folder it runs in.

    Settings of a strange folder may make it run any program.
    """
    for part in script.parts:
        if part.folders and any(each.is_file and not each.target.text.startswith("/") for each in part.redirections):
            yield "it opens a file in a folder that it has changed to"
        if part.folders and any(program_name(word.text) == "git" for word in part.words):
            yield "it runs git in a folder that it has changed to"
        obeying = next((run.name for run in _run_by(part) if not _same_everywhere(run)), None)
        if obeying and not all(map(is_inside, part.folders)):
            yield f"it runs {obeying} in a folder outside of the session's"


def _changed_shell(script: Script) -> Iterator[str]:
    """Yield doubts about changes of later commands: ``export PATH=.; git status``, ``alias ls=…; ls``."""
    for part in script.parts[:-1]:
        for run in part.runs.chain:
            if run.name in CHANGING_SHELL and not all(map(_is_safe, run.arguments)):
                yield f"it changes with “{run.name}” what the commands behind it do"


def _same_everywhere(run: Invocation) -> bool:
    """Whether the program's effect depends on its arguments alone, not on its folder."""
    return (run.name,) in HARMLESS or run.name in CHANGING_FOLDER or run.name in WRAPPERS
