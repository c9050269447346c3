"""What the demo agent can play, and which words in a prompt pick what."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lulu.agent.demo.conversation import Conversation
from lulu.agent.demo.repertoire.story import story
from lulu.agent.demo.repertoire.tour import tour
from lulu.agent.demo.turn import Prompt, Turn

Play = Callable[[Turn], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Script:
    """One thing that the demo agent can show."""

    name: str
    #: What there is to see, a few words for a person.
    about: str
    #: A prompt that picks it.
    example: str
    #: A regular expression; found anywhere in the prompt, in any case, it picks this script.
    words: str
    play: Play


_TOUR = Script(
    name="tour",
    about="A bug hunt: reading, a diff, a permission request, a table",
    example="The invoice total is one cent off. Find out why and fix it.",
    words=r"\btour\b",
    play=tour,
)
#: In the order in which they are tried.
_SCRIPTS: tuple[Script, ...] = (
    Script(
        name="story",
        about="A long answer, streamed; no tools",
        example="Tell me a story about a lighthouse.",
        words=r"\bstory\b",
        play=story,
    ),
    _TOUR,
)


def scripts() -> tuple[Script, ...]:
    """Everything there is to see, the tour first."""
    return (_TOUR, *(script for script in _SCRIPTS if script is not _TOUR))


def choose(prompt: Prompt, conversation: Conversation) -> Play:
    """The play for a prompt."""
    for script in _SCRIPTS:
        if re.search(script.words, prompt.text, re.IGNORECASE):
            return script.play
    return tour
