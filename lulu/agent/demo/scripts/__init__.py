"""The demo agent's scripts, and the words in a prompt that choose them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lulu.agent.demo.blocks import Prompt
from lulu.agent.demo.conversation import Conversation
from lulu.agent.demo.scripts import slash
from lulu.agent.demo.scripts.agents import background, subagents
from lulu.agent.demo.scripts.bench import WORDS as BENCH_WORDS
from lulu.agent.demo.scripts.bench import bench
from lulu.agent.demo.scripts.failures import api_error, crash, stall
from lulu.agent.demo.scripts.followups import echo, follow_up
from lulu.agent.demo.scripts.lists import todo
from lulu.agent.demo.scripts.outputs import big, image, unknown
from lulu.agent.demo.scripts.questions import plan, question
from lulu.agent.demo.scripts.requests import slow_tool
from lulu.agent.demo.scripts.showcase import tour
from lulu.agent.demo.scripts.story import story
from lulu.agent.demo.scripts.web import web
from lulu.agent.demo.turn import Turn

Play = Callable[[Turn], Awaitable[None]]


@dataclass(frozen=True)
class Script:
    """One script of the demo agent."""

    name: str
    #: A regular expression, without regard to case. A prompt that contains it chooses this script.
    words: str
    play: Play
    #: A prompt that chooses it.
    example: str
    #: A few words about it, for a person.
    about: str


_TOUR = Script(
    "tour",
    r"\btour\b",
    tour,
    "The invoice total is one cent off. Find out why and fix it.",
    "A bug hunt: reading, a diff, permission requests, a table",
)
#: In the order of search. The first match is played.
_SCRIPTS = (
    Script("bench", BENCH_WORDS, bench, "fast 100", "Many texts at a steady rate"),
    Script("echo", r"^\s*echo\b", echo, "echo Hello, **world**", "Your prompt said back, as markdown"),
    Script("story", r"\bstory\b", story, "Tell me a story about a lighthouse.", "A long answer, streamed; no tools"),
    Script("question", r"\bquestions?\b", question, "Ask me a question.", "Questions with choices"),
    Script("plan", r"\bplan\b", plan, "Make a plan first.", "A plan to approve"),
    Script("background", r"\bbackground\b", background, "Survey it in the background.", "An agent outlives its turn"),
    Script("subagent", r"\bsub-?agents?\b", subagents, "Use subagents.", "Two agents that ask at the same time"),
    Script("todo", r"\bto-?dos?\b|\btasks?\b", todo, "Keep a todo list.", "A list of tasks, worked through"),
    Script("web", r"\bsearch\b|\bweb\b", web, "Search the web for the rule.", "A search, a page, sources"),
    Script("image", r"\bimages?\b|\bpictures?\b", image, "Show me an image.", "A tool that answers with a picture"),
    Script("big", r"\bbig\b", big, "Show me something big.", "An output of 200 kB"),
    Script("slow", r"\bslow\b", slow_tool, "Run a slow tool.", "A command of 20 s; try Stop"),
    Script("stall", r"\bstall", stall, "Stall, please.", "A stream that falls silent; try Stop"),
    Script("error", r"\berrors?\b", api_error, "Show me an API error.", "Retries, then an API error"),
    Script("crash", r"\bcrash", crash, "Crash, please.", "An agent process that dies"),
    Script("unknown", r"\bunknown\b", unknown, "Show me the unknown.", "Messages that nobody knows"),
    _TOUR,
)


def scripts() -> tuple[Script, ...]:
    """Return all scripts, the tour first."""
    return (_TOUR, *(script for script in _SCRIPTS if script is not _TOUR))


def choose(prompt: Prompt, conversation: Conversation) -> Play:
    """Return the script for a prompt: a slash command, a match, or else the tour and then follow-ups."""
    if not prompt.verbatim and slash.is_command(prompt.text):
        return slash.command([(script.example, script.about) for script in scripts()])
    for script in _SCRIPTS:
        if re.search(script.words, prompt.text, re.IGNORECASE):
            return script.play
    if conversation.permissions.mode == "plan":
        return plan
    return follow_up if conversation.turns else tour
