"""Decides whether a suggested program's options are harmless, and whether a rule names the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lulu.rules.shell.harmless import GLOBAL, HARMLESS, SCRIPTS, Harmless
from lulu.rules.shell.invocations import Invocation, invocations, only_looks, program_name
from lulu.rules.shell.programs import FINDERS, RUNNERS
from lulu.rules.shell.words import Word
from lulu.rules.text_globs import TextGlob, text_glob

#: Programs that change the files that they are given, with an option ``-i``.
_IN_PLACE = frozenset({"awk", "gawk", "jq", "perl", "ruby", "yq"})
#: Options that many programs follow with a file to write.
_WRITES = re.compile(r"-[A-Za-z]*[oO]|--ou|-out|-f(ls|print)|--(append|dump-header|cookie-jar|directory-p|trace|log)")
_KNOWN = frozenset(key[0] for key in HARMLESS) | RUNNERS
#: Words between a runner and its program: FOO=bar, 5s, `uv run`.
_BETWEEN = re.compile(r"[A-Za-z_]\w*=.*|[\d.]+[A-Za-z]?|run|exec|x")
_NAMES_A_SCRIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """An argument with more effects than the program is suggested for."""

    text: str
    #: How many characters a rule has to spell out: the option without its value.
    length: int


def risks(run: Invocation) -> list[Risk]:
    """Return the arguments that only a rule with their names may approve."""
    found: list[Risk] = []
    subcommands = {key[1]: HARMLESS[key] for key in HARMLESS if len(key) > 1 and key[0] == run.name}
    harmless, arguments = HARMLESS.get((run.name,)), list(run.arguments)
    if subcommands:
        at, found = _before_subcommand(run, frozenset(subcommands))
        harmless = subcommands.get(arguments[at].text) if at < len(arguments) else None
        arguments = arguments[at + 1 :]
    if harmless is None:
        return found
    if run.more and not (harmless.every or harmless.unseen):
        found.append(Risk(text="\0", length=1))
    return found + ([] if harmless.every else list(_risky(harmless, arguments)))


def names(glob: TextGlob, risk: Risk) -> bool:
    """Whether the pattern spells the option out: ``--output=*`` does, ``*`` and ``--*`` do not."""
    return any(
        word.matches(risk.text) and len(word.pieces[0]) >= risk.length for word in _words_of(glob.text) if word.text
    )


def offered(run: Invocation) -> int:
    """Return how many words a suggested pattern has before its star; 0 for the exact command only."""
    texts = [word.text for word in run.arguments]
    if risks(run):
        return 0
    if (run.name,) in HARMLESS:
        return 1
    if texts and (run.name, texts[0]) in SCRIPTS:
        return 3 if len(texts) > 1 and _NAMES_A_SCRIPT.fullmatch(texts[1]) else 0
    return 2 if texts and (run.name, texts[0]) in HARMLESS else 0


def narrows(glob: TextGlob) -> bool:
    """Whether some calls that match the pattern still need a person, because of their options."""
    if glob.exact is not None:
        return False
    *whole, begun = glob.pieces[0].split(" ")
    runs = invocations([Word(raw=text, text=text) for text in whole]).chain
    if not runs:
        return True
    run = [*runs, *run_by(runs[-1])][-1]
    if only_looks(run):
        return False
    of_program = HARMLESS.get((run.name,))
    if of_program is not None:
        return not of_program.every
    known = {key[1] for key in HARMLESS if len(key) > 1 and key[0] == run.name}
    second = next((word.text for word in run.arguments if not word.text.startswith("-")), None)
    if second is None:
        return run.name in RUNNERS or any(name.startswith(begun.lstrip("-")) for name in known)
    return second in known


def run_by(run: Invocation) -> list[Invocation]:
    """Return the programs that a runner such as ``sudo`` runs, up to a known one or its first operand."""
    may_be_value = False
    for at, word in enumerate(run.arguments if run.name in RUNNERS - FINDERS else ()):
        if word.text.startswith("-"):
            may_be_value = True
        elif not _BETWEEN.fullmatch(word.text):
            inner = Invocation(at=run.at + 1 + at, name=program_name(word.text), arguments=run.arguments[at + 1 :])
            if inner.name in _KNOWN or not may_be_value:
                return [inner, *run_by(inner)]
            may_be_value = False
    return []


def _before_subcommand(run: Invocation, subcommands: frozenset[str]) -> tuple[int, list[Risk]]:
    """Return the index of the subcommand, and the risks before it."""
    found: list[Risk] = []
    may_be_value = False
    for at, word in enumerate(run.arguments):
        if word.text.startswith("-"):
            found += [_whole(word)] if word.text not in GLOBAL[run.name] else []
            may_be_value = "=" not in word.text
        elif word.text in subcommands or not may_be_value:
            return at, found
        else:
            may_be_value = False
    return len(run.arguments), found


def writes_to(run: Invocation, word: Word, before: str) -> bool:
    """Whether the program may write to the file ``word``; ``before`` is the word before it. To deny."""
    if run.name in _IN_PLACE:
        # `perl -pi -e …` changes every file that it is given.
        return any(re.match(r"-[A-Za-z]*i", each.text) for each in run.arguments)
    option = word.text if word.text.startswith("-") else before
    if not _WRITES.match(option) or (run.name in FINDERS and not option.startswith("-f")):
        return False
    harmless = HARMLESS.get((run.name,)) or HARMLESS.get((run.name, run.arguments[0].text if run.arguments else ""))
    return harmless is None or not (harmless.every or _judged(harmless, option)[0] == 0)


def _risky(harmless: Harmless, arguments: list[Word]) -> Iterator[Risk]:
    operands, ended, value = 0, False, False
    for word in arguments:
        text, is_value, value = word.text, value, False
        # A name that a glob finds may look like an option, and there may be several.
        unseen = word.globbed and (text[:1] in "*?[" or harmless.operands is not None) and not harmless.unseen
        if unseen and not (ended and harmless.operands is None):
            yield _whole(word)
        elif harmless.unseen and (ended or is_value):
            continue
        elif text == "--":
            ended = True
        elif text.startswith("-") and text[1:2].strip():
            length, value = _judged(harmless, text)
            if length:
                yield Risk(text=text, length=length)
        elif not is_value:
            operands += 1
            too_many = harmless.operands is not None and operands > harmless.operands
            if too_many or not (harmless.operand is None or harmless.operand.fullmatch(text)):
                yield _whole(word)


def _judged(harmless: Harmless, text: str) -> tuple[int, bool]:
    """Return how much of an option a rule must name (0: harmless), and whether its value follows."""
    name, given, _ = text.partition("=")
    if name in harmless.words or f"--{name.removeprefix('--no-')}" in harmless.words:
        return 0, not given and name in harmless.valued
    if text.startswith("--"):
        return len(name), False
    valued = False
    for at, letter in enumerate(text[1:], start=1):
        kind = harmless.letters.get(letter)
        if kind is None:
            return at + 1, False
        if kind and not harmless.apart:
            return 0, kind == ":" and at == len(text) - 1
        valued = valued or bool(kind)
    return 0, valued


def _whole(word: Word) -> Risk:
    name, given, _ = word.text.partition("=")
    return Risk(text=word.text, length=len(name) if given and name.startswith("--") else len(word.text))


@lru_cache(maxsize=512)
def _words_of(pattern: str) -> tuple[TextGlob, ...]:
    return tuple(text_glob(re.sub(r"['\"]|\\(?!\*)", "", word)) for word in pattern.split(" "))
