"""What must be approved before a bash command may run, part by part, for approve rules: any doubt asks a person."""

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

#: A file's name that no shell reads in two ways.
_PLAIN_FILE = re.compile(r"[\w./][\w./@%+,:=-]*")
#: A value that no shell computes: zsh takes COLUMNS and LINES for numbers, with commands in an index.
_PLAIN_VALUE = re.compile(r"[\w./:,+@%-]*")
#: Added where arguments come that nobody has seen.
_UNSEEN = " \0"
#: In a pattern they may hold blanks together.
_QUOTING = re.compile(r"['\"]|\\(?!\*)")
#: Stands for a blank inside a word: a pattern's blanks are between words.
_INSIDE = "\x1f"
#: What may stand between a wrapper and the program that it runs.
_OPTION_OR_NUMBER = re.compile(r"-.*|[\d.]+[A-Za-z]?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A command, perhaps without the wrappers around it."""

    #: As written.
    text: str
    #: As meant: without quotes, each word in one piece.
    meant: str
    #: How much of it a pattern must spell out to name the program that it comes down to; 0 without wrappers.
    names: int
    #: It gets arguments that the command does not show.
    more: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One thing that a rule must approve."""

    #: How a person is told of it.
    shown: str
    #: A part of the command …
    part: Part | None = None
    #: Its command, with and without the wrappers around it.
    forms: tuple[Form, ...] = ()
    #: What in it only a rule that names it may approve.
    risks: tuple[Risk, ...] = ()
    #: … or a file that it opens beside its arguments.
    file: str = ""
    #: The part that opens the file.
    owner: Part | None = None
    writes: bool = False


def doubts(command: str, script: Script, is_inside: Callable[[str], bool]) -> list[str]:
    """Why no rule with a star can approve this command, as ends of a sentence; empty when it is clear.

    ``is_inside`` tells whether a folder is the session's or lies below it.
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
    """Everything in the command that needs approval."""
    found: list[Need] = []
    for part in script.parts:
        forms = tuple(_forms(part)) if part.words and not _unsafe(part) else ()
        risky = tuple(risk for run in _run_by(part) for risk in risks(run))
        found.append(Need(shown=part.written, part=part, forms=forms, risks=risky))
        for each in part.redirections:
            is_plain = each.target.raw == each.target.text and _PLAIN_FILE.fullmatch(each.target.text)
            if not each.is_file or (is_plain and each.target.text == "/dev/null"):
                continue
            # A name that is not plain is not approved by any path pattern: \0 is in none.
            name = each.target.text if is_plain else "\0"
            shown = f"{each.operator} {each.target.raw}"
            found.append(Need(shown=shown, file=name, owner=part, writes=each.writes))
    return found


def approves_part(glob: TextGlob, need: Need) -> bool:
    """Whether the pattern takes this simple command, without the files that it opens beside its arguments."""
    if need.part is not None and glob.exact == need.part.written:
        return True
    if glob.exact is None and unnamed(glob, need) is not None:
        return False
    return any(_approves_form(glob, form, need) for form in need.forms)


def unnamed(glob: TextGlob, need: Need) -> str | None:
    """The first argument that may write elsewhere, run or send and that the pattern does not spell out."""
    return next((risk.text for risk in need.risks if not names(glob, risk)), None)


def _unsafe(part: Part) -> bool:
    """Whether variables are set that may change what the command is."""
    # `time X=1 git` sets a variable, too.
    behind = [part.words[run.at] for run in part.runs.chain[1:]]
    if any(ASSIGNMENT.match(word.text) or word.text in KEYWORDS for word in behind):
        return True
    return not all(map(_is_safe, part.assignments))


def _is_safe(word: Word) -> bool:
    """Whether a variable is set that changes no program's behaviour."""
    name, _, value = word.text.partition("=")
    return name in SAFE_VARIABLES and _PLAIN_VALUE.fullmatch(value) is not None


def _approves_form(glob: TextGlob, form: Form, need: Need) -> bool:
    if not glob.matches(form.text):
        return False
    if glob.exact is not None:
        # An exact pattern does not take a command that gets more arguments than it shows.
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
    # `timeout 30 npm *` names what runs; `timeout *` does not.
    return len(glob.pieces[0]) >= form.names


def _runs_more(run: Invocation) -> bool:
    """Whether the program may run another, or code that it is given: ``* --version`` is no word for ``bash -c``."""
    alone = len(run.arguments) == 1 and run.arguments[0].text in SPEAKING
    return not alone and (run.name in RUNNING or run.name.rstrip("0123456789.-") in RUNNING)


def _may_act(word: Word) -> bool:
    """Whether ``find`` may take the word for an action, which the name of a file may be, too."""
    return word.text in FIND_ACTIONS or (
        word.globbed and any(fnmatch.fnmatchcase(action, word.text) for action in FIND_ACTIONS)
    )


def _run_by(part: Part | None) -> tuple[Invocation, ...]:
    """Every program that must be looked at: with a wrapper that cannot be read, all that it may run."""
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
    """The command as written, and without each wrapper that Claude Code looks through; the last is the innermost."""
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
                # What stands behind `xargs` gets more arguments, seen from outside as well.
                more=chain[-1].more,
            )


def _changed_folder(script: Script, is_inside: Callable[[str], bool]) -> Iterator[str]:
    """What another folder may make of the commands: git obeys every folder, and a strange one may bring any program."""
    for part in script.parts:
        if part.folders and any(each.is_file and not each.target.text.startswith("/") for each in part.redirections):
            yield "it opens a file in a folder that it has changed to"
        if part.folders and any(program_name(word.text) == "git" for word in part.words):
            yield "it runs git in a folder that it has changed to"
        obeying = next((run.name for run in _run_by(part) if not _same_everywhere(run)), None)
        if obeying and not all(map(is_inside, part.folders)):
            yield f"it runs {obeying} in a folder outside of the session's"


def _changed_shell(script: Script) -> Iterator[str]:
    """What keeps later commands from being what they seem: ``export PATH=.; git status``, ``alias ls=…; ls``."""
    for part in script.parts[:-1]:
        for run in part.runs.chain:
            if run.name in CHANGING_SHELL and not all(map(_is_safe, run.arguments)):
                yield f"it changes with “{run.name}” what the commands behind it do"


def _same_everywhere(run: Invocation) -> bool:
    """Whether what the program does depends on its arguments alone, wherever it runs."""
    return (run.name,) in HARMLESS or run.name in CHANGING_FOLDER or run.name in WRAPPERS
