"""What scripts are made of: prompts, the blocks of a message, and the ways in which a turn can end badly."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lulu.agent.demo.calls import Call

if TYPE_CHECKING:
    from lulu.agent.demo.turn import Turn

#: About two words a piece.
_PIECES = re.compile(r"\s*\S+(?:[ \t]+\S+)?[ \t]*", re.DOTALL)
#: Stands where the API signs thinking.
SIGNATURE = "demo"


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What a person sent."""

    text: str
    #: The uuid that the sender gave it; results name it.
    uuid: str | None = None
    origin: dict[str, Any] | None = None
    #: Taken as typed: a leading slash is no command.
    verbatim: bool = False
    #: What is played, where it is not the words that decide.
    play: Callable[[Turn], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Think:
    """A block of thinking."""

    text: str


@dataclass(frozen=True)
class Say:
    """A block of an answer, in markdown."""

    text: str
    #: Goes silent before its end, until somebody interrupts.
    stalls: bool = False


@dataclass(frozen=True)
class Strange:
    """A block of a kind that nobody knows."""

    block: dict[str, Any]


Block = Think | Say | Call | Strange


@dataclass(frozen=True, kw_only=True)
class BackgroundTask:
    """Work that outlives its turn. When it is done, the agent starts a turn by itself."""

    task_id: str
    #: The work; it gives what the agent is then told.
    work: Callable[[], Awaitable[str]]
    #: What the agent plays on being told.
    afterwards: Callable[[Turn], Awaitable[None]]


class ApiFailed(Exception):
    """The invented API gave up: the turn ends with an error result, the session lives on."""

    def __init__(self, *, status: int | None, error: str, message: str) -> None:
        super().__init__(message)
        #: The HTTP status, or nothing for a network failure.
        self.status = status
        #: Claude Code's word for it: ``rate_limit``, ``server_error``, …
        self.error = error
        self.message = message


class Crashed(Exception):
    """The invented agent process dies."""

    def __init__(self, *, exit_code: int, stderr: tuple[str, ...]) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code
        #: What it says last, line by line.
        self.stderr = stderr


def finished_block(kind: str, text: str) -> dict[str, Any]:
    """A whole text or thinking block."""
    return {"type": kind, kind: text} | ({"signature": SIGNATURE} if kind == "thinking" else {})


def pieces(text: str) -> list[str]:
    """The text in the pieces that it streams in; joined, they are the text."""
    found = _PIECES.findall(text)
    rest = text[sum(map(len, found)) :]
    return [*found, rest] if rest else found
