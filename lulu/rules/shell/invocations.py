"""The programs that a simple command runs: the one it names, and those that wrappers and runners run.

Both kinds of rules use it. To approve, it follows the wrappers that Claude Code follows. To deny, every word behind a
runner may be a program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lulu.rules.shell.programs import FIND_ACTIONS, FINDERS, RUNNERS, RUNNERS_WITH, WRAPPERS
from lulu.rules.shell.words import Word

#: Most words of one command that may start another program.
STARTS = 40

_DURATION = re.compile(r"\d+(\.\d+)?[smhd]?")
_TIMEOUT_OPTION = re.compile(r"--foreground|--preserve-status|-v|--verbose|--(signal|kill-after)=\w+")
_STDBUF_OPTION = re.compile(r"-[ioe](0|L|\d+[KMG]?)|--(input|output|error)=(0|L|\d+[KMG]?)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """A program that is run, as far as the words tell."""

    #: Index of the program among the words.
    at: int
    #: The program without its folder, in lower case.
    name: str
    arguments: tuple[Word, ...]
    #: Whether only plainly written wrappers that Claude Code follows precede it.
    plain: bool = True
    #: Whether it gets arguments that the command does not contain.
    more: bool = False


class Invocations(NamedTuple):
    """The programs that a simple command runs."""

    #: The named program, then the one that each wrapper runs; the last is the innermost.
    chain: tuple[Invocation, ...] = ()
    #: Other programs that may be run: words behind a program that runs its arguments.
    possible: tuple[Invocation, ...] = ()

    @property
    def all(self) -> tuple[Invocation, ...]:
        """Every program that may be run."""
        return self.chain + self.possible

    @property
    def names(self) -> frozenset[str]:
        """The names of all programs that may be run."""
        return frozenset(each.name for each in self.all)


def invocations(words: Sequence[Word]) -> Invocations:
    """Return what ``words`` run; they do not include assignments."""
    if not words:
        return Invocations()
    texts = [word.text for word in words]
    starts, plain, more = [0], [True], [False]
    while skipped := _wrapped(texts[starts[-1] :]):
        first, start = starts[-1], starts[-1] + skipped
        name = program_name(texts[first])
        plain.append(
            plain[-1] and words[first].raw == name and all(word.raw == word.text for word in words[first:start])
        )
        more.append(more[-1] or name == "xargs")
        starts.append(start)
    chain = tuple(
        Invocation(
            at=start, name=program_name(texts[start]), arguments=tuple(words[start + 1 :]), plain=is_plain, more=unseen
        )
        for start, is_plain, unseen in zip(starts, plain, more, strict=True)
    )
    possible = tuple(
        Invocation(at=start, name=program_name(texts[start]), arguments=tuple(words[start + 1 :]), plain=False)
        for start in sorted({*_behind(texts, 0), *_behind(texts, starts[-1])} - {*starts})
    )
    return Invocations(chain, possible)


def program_name(text: str) -> str:
    """Return the name of a program without its folder. For zsh, ``=rm`` is the path of ``rm``."""
    return text.strip().partition(" ")[0].rpartition("/")[2].removeprefix("=").lower()


def only_looks(run: Invocation) -> bool:
    """Whether it is ``command -v``: finds a program without running it."""
    return run.name == "command" and run.arguments[:1] != () and run.arguments[0].text in ("-v", "-V")


def _behind(texts: list[str], at: int) -> Iterator[int]:
    """Yield the positions where a command may begin behind a runner."""
    name, end = program_name(texts[at]), min(len(texts), at + STARTS)
    if name in FINDERS:
        actions = [place + 1 for place in range(at, len(texts) - 1) if texts[place] in FIND_ACTIONS][:STARTS]
        yield from actions
        # `-exec sudo rm`
        for action in actions[:3]:
            if program_name(texts[action]) in RUNNERS:
                yield from range(action, min(len(texts), action + STARTS))
    elif name in RUNNERS or any(text in RUNNERS_WITH.get(name, ()) for text in texts[at + 1 : end]):
        yield from range(at + 1, end)


def _wrapped(texts: list[str]) -> int:
    """Return the number of words before the command that this wrapper runs.

    0 if it is no known wrapper, or if its options are not plain.
    """
    at, name = 1, program_name(texts[0])
    if name not in WRAPPERS:
        return 0
    match name:
        case "time":
            at += texts[1:2] == ["-p"]
        case "nice":
            if texts[1:2] == ["-n"] and re.fullmatch(r"-?\d+", "".join(texts[2:3])):
                at += 2
            elif re.fullmatch(r"-\d+|--adjustment=-?\d+", "".join(texts[1:2])):
                at += 1
        case "timeout":
            while at < len(texts) and (_TIMEOUT_OPTION.fullmatch(texts[at]) or texts[at] in ("-s", "-k")):
                at += 2 if texts[at] in ("-s", "-k") else 1
            if at >= len(texts) or not _DURATION.fullmatch(texts[at]):
                return 0
            at += 1
        case "stdbuf":
            while at < len(texts) and _STDBUF_OPTION.fullmatch(texts[at]):
                at += 1
    return at if at < len(texts) and not texts[at].startswith("-") else 0
