"""What must be approved before a bash command may run, part by part, for approve rules: any doubt asks a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lulu.rules.checks import Check
from lulu.rules.programs import EXEC_WRAPPERS, FIND_ACTIONS, SAFE_VARIABLES
from lulu.rules.shell import Part, Script
from lulu.rules.shell_words import Word
from lulu.rules.text_globs import TextGlob

#: Longer commands are not approved by rule, as in Claude Code.
MAX_COMMAND = 10_000

_DURATION = re.compile(r"\d+(\.\d+)?[smhd]?")
_TIMEOUT_OPTION = re.compile(r"--foreground|--preserve-status|-v|--verbose|--(signal|kill-after)=\w+")
_STDBUF_OPTION = re.compile(r"-[ioe](0|L|\d+[KMG]?)|--(input|output|error)=(0|L|\d+[KMG]?)")
#: A file's name that no shell reads in two ways.
_PLAIN_FILE = re.compile(r"[\w./][\w./@%+,:=-]*")
#: Added where arguments come that nobody has seen.
_UNSEEN = " \0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A command, perhaps without the wrappers around it."""

    text: str
    #: Where the program begins that it comes down to.
    inner_at: int
    #: It gets arguments that the command does not show.
    more: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One thing that a rule must approve."""

    #: How a person is told of it.
    shown: str
    #: A part of the command …
    part: Part | None = None
    #: Its command, with and without the wrappers around it; the last is the innermost.
    forms: tuple[Form, ...] = ()
    #: … or a file that it opens beside its arguments.
    file: str = ""
    #: The part that opens the file.
    owner: Part | None = None
    writes: bool = False


def doubts(command: str, script: Script, checks: frozenset[Check]) -> list[str]:
    """Why no rule with a star can approve this command, as ends of a sentence; empty when it is clear."""
    found = [why for check, why in script.doubts.items() if (check in checks) != (check is Check.MESSAGE)]
    if len(command) > MAX_COMMAND and Check.LENGTH in checks:
        found.append(f"it is longer than {MAX_COMMAND:,} characters")
    if Check.CHANGED_FOLDER in checks:
        found += _changed_folder(script)
    if not script.parts:
        found.append("it is empty")
    return found


def needs(script: Script, checks: frozenset[Check]) -> list[Need]:
    """Everything in the command that needs approval."""
    found: list[Need] = []
    for part in script.parts:
        forms = tuple(_forms(part.words, checks)) if part.words and not _unsafe(part, checks) else ()
        found.append(Need(shown=part.written, part=part, forms=forms))
        for each in part.redirections:
            if not each.is_file or (each.target.raw == "/dev/null" and Check.DEV_NULL in checks):
                continue
            # A name that is not plain is not approved by any path pattern: \0 is in none.
            name = each.target.text if _PLAIN_FILE.fullmatch(each.target.raw) else "\0"
            if Check.REDIRECTION in checks:
                shown = f"{each.operator} {each.target.raw}"
                found.append(Need(shown=shown, file=name, owner=part, writes=each.writes))
    return found


def approves_part(glob: TextGlob, need: Need, checks: frozenset[Check]) -> bool:
    """Whether the pattern takes this simple command, without the files that it opens beside its arguments."""
    if need.part is not None and glob.exact == need.part.written and Check.EXACT_TEXT in checks:
        return True
    return any(_approves_form(glob, form, need.forms[-1], checks) for form in need.forms)


def _unsafe(part: Part, checks: frozenset[Check]) -> bool:
    """Whether variables are set that may change what the command is."""
    for word in part.assignments:
        safe = word.raw.partition("=")[0] in SAFE_VARIABLES and Check.SAFE_ASSIGNMENT in checks
        if not safe and Check.ASSIGNMENT in checks:
            return True
    return False


def _approves_form(glob: TextGlob, form: Form, innermost: Form, checks: frozenset[Check]) -> bool:
    if not glob.matches(form.text):
        return False
    if glob.exact is not None:
        # An exact pattern does not take a command that gets more arguments than it shows.
        return not (form.more and Check.STDIN_ARGUMENTS in checks)
    program, _, rest = innermost.text.partition(" ")
    name = program.rpartition("/")[2]
    if name in EXEC_WRAPPERS and Check.EXEC_WRAPPER in checks:
        return False
    if name == "find" and FIND_ACTIONS & set(rest.split()) and Check.FIND_ACTION in checks:
        return False
    if form.more and Check.STDIN_ARGUMENTS in checks and not glob.matches(form.text + _UNSEEN):
        return False
    if form.inner_at and Check.WRAPPER_ALONE in checks:
        # `timeout 30 npm *` names what runs; `timeout *` does not.
        return len(glob.pieces[0]) >= form.inner_at + len(program)
    return True


def _forms(words: tuple[Word, ...], checks: frozenset[Check]) -> Iterator[Form]:
    """The command as written, and without each wrapper that Claude Code looks through; the last is the innermost."""
    raws = [word.raw for word in words]
    starts, more = [0], [False]
    while Check.WRAPPERS in checks:
        skipped = _wrapper(raws[starts[-1] :])
        if not skipped:
            break
        more.append(more[-1] or raws[starts[-1]] == "xargs")
        starts.append(starts[-1] + skipped)
    inner = " ".join(raws[starts[-1] :])
    for start, unseen in zip(starts, more, strict=True):
        text = " ".join(raws[start:])
        # What stands behind `xargs` gets more arguments, seen from outside as well.
        yield Form(text=text, inner_at=len(text) - len(inner), more=unseen or more[-1])


def _wrapper(raws: list[str]) -> int:
    """How many words stand before the command that this one runs; 0 when it is no known wrapper, or not plainly so."""
    at = 1
    match raws[0]:
        case "nohup" | "command" | "builtin" | "noglob" | "xargs":
            pass
        case "time":
            at += raws[1:2] == ["-p"]
        case "nice":
            if raws[1:2] == ["-n"] and re.fullmatch(r"-?\d+", "".join(raws[2:3])):
                at += 2
            elif re.fullmatch(r"-\d+|--adjustment=-?\d+", "".join(raws[1:2])):
                at += 1
        case "timeout":
            while at < len(raws) and (_TIMEOUT_OPTION.fullmatch(raws[at]) or raws[at] in ("-s", "-k")):
                at += 2 if raws[at] in ("-s", "-k") else 1
            if at >= len(raws) or not _DURATION.fullmatch(raws[at]):
                return 0
            at += 1
        case "stdbuf":
            while at < len(raws) and _STDBUF_OPTION.fullmatch(raws[at]):
                at += 1
        case _:
            return 0
    return at if at < len(raws) and not raws[at].startswith("-") else 0


def _changed_folder(script: Script) -> Iterator[str]:
    moved = False
    for part in script.parts:
        program = part.words[0].text if part.words else ""
        if moved and any(each.is_file and not each.target.raw.startswith("/") for each in part.redirections):
            yield "it opens a file in a folder that it has changed to"
        if moved and any(word.text.rpartition("/")[2] == "git" for word in part.words):
            yield "it runs git in a folder that it has changed to"
        moved = moved or program in ("cd", "pushd", "popd")
