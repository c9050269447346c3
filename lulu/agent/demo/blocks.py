"""The parts of scripts: prompts, the blocks of a message, and errors that end a turn."""

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
#: Replaces the API's signature of thinking.
SIGNATURE = "demo"


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt from the SDK."""

    text: str
    #: The sender's uuid. Results have it, too.
    uuid: str | None = None
    origin: dict[str, Any] | None = None
    #: Whether a leading slash is no command.
    verbatim: bool = False
    #: The script to play, if the words of the prompt do not choose it.
    play: Callable[[Turn], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Think:
    """A block of thinking."""

    text: str


@dataclass(frozen=True)
class Say:
    """A block of an answer, in markdown."""

    text: str
    #: Whether the text stops before its end, until an interrupt.
    stalls: bool = False


@dataclass(frozen=True)
class Strange:
    """A block of an unknown kind."""

    block: dict[str, Any]


Block = Think | Say | Call | Strange


@dataclass(frozen=True, kw_only=True)
class BackgroundTask:
    """Work that outlives its turn. At its end, the agent starts a turn by itself."""

    task_id: str
    #: The work. It returns the report for the agent.
    work: Callable[[], Awaitable[str]]
    #: The script that the agent plays after the report.
    afterwards: Callable[[Turn], Awaitable[None]]


class ApiFailed(Exception):
    """An invented API error. The turn ends with an error result, and the session goes on."""

    def __init__(self, *, status: int | None, error: str, message: str) -> None:
        super().__init__(message)
        #: The HTTP status, or ``None`` for a network failure.
        self.status = status
        #: Claude Code's name for it: ``rate_limit``, ``server_error``, …
        self.error = error
        self.message = message


class Crashed(Exception):
    """The invented agent process dies."""

    def __init__(self, *, exit_code: int, stderr: tuple[str, ...]) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code
        #: The last lines of stderr.
        self.stderr = stderr


def finished_block(kind: str, text: str) -> dict[str, Any]:
    """Return a complete text or thinking block."""
    return {"type": kind, kind: text} | ({"signature": SIGNATURE} if kind == "thinking" else {})


def pieces(text: str) -> list[str]:
    """Split a text into the pieces that are streamed. Joined, they are the text."""
    found = _PIECES.findall(text)
    rest = text[sum(map(len, found)) :]
    return [*found, rest] if rest else found
