"""Slash commands. Claude Code itself answers them, without a model."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from lulu.agent.demo import frames
from lulu.agent.demo.conversation import DEFAULT_MODEL
from lulu.agent.demo.turn import Turn

_COMMAND = re.compile(r"/([a-z][\w:-]*)(?:\s+(.*))?", re.DOTALL)


def is_command(text: str) -> bool:
    """Whether a prompt is a command: ``/name`` and its argument. A path is none."""
    return bool(_COMMAND.fullmatch(text.strip()))


def command(examples: list[tuple[str, str]]) -> Callable[[Turn], Awaitable[None]]:
    """Return a script that runs the command in the prompt. ``examples``: the list for ``/help``.

    Each example is ``(prompt, about)``.
    """

    async def play(turn: Turn) -> None:
        turn.used_model = False
        found = _COMMAND.fullmatch(turn.prompt.text.strip())
        name, argument = (found[1], found[2] or "") if found else ("", "")
        match name:
            case "help":
                await turn.announce(_help(examples))
            case "clear":
                await _clear(turn)
            case "cost":
                await turn.announce(_cost(turn))
            case "compact":
                await _compact(turn)
            case "context":
                await turn.announce(_context(turn))
            case "model":
                turn.conversation.model = argument or DEFAULT_MODEL
                await turn.announce(f"Set model to `{turn.conversation.model}` for this session only")
            case _:
                await turn.announce(f"Unknown slash command: /{name}")

    return play


def _help(examples: list[tuple[str, str]]) -> str:
    offers = "\n".join(f"| {prompt} | {about} |" for prompt, about in examples)
    commands = ", ".join(f"`/{name}`" for name in frames.SLASH_COMMANDS)
    return (
        "This is the **demo agent**: it plays scripts, runs nothing and costs nothing. Words in a prompt pick the "
        f"script.\n\n| Prompt | What you see |\n|---|---|\n{offers}\n\nCommands: {commands}."
    )


async def _clear(turn: Turn) -> None:
    conversation = turn.conversation
    reset = frames.new_uuid()
    await turn.emit({"type": "conversation_reset", "new_conversation_id": reset, "uuid": reset, "trigger": "clear"})
    conversation.clear()
    await turn.emit(
        frames.init(cwd=conversation.cwd, model=conversation.model, permission_mode=conversation.permissions.mode)
    )


async def _compact(turn: Turn) -> None:
    await turn.emit(frames.status("compacting"))
    await turn.pause(2)
    before, after = turn.conversation.compact()
    await turn.emit(frames.status(None, compact_result="success"))
    metadata = {"trigger": "manual", "pre_tokens": before, "post_tokens": after}
    await turn.emit(frames.system("compact_boundary", compact_metadata=metadata))
    await turn.emit(frames.user_text("<local-command-stdout>Compacted </local-command-stdout>", isReplay=True))


def _cost(turn: Turn) -> str:
    usage = turn.conversation.model_usage().values()
    read, written = (sum(entry[key] for entry in usage) for key in ("inputTokens", "outputTokens"))
    return (
        f"Estimated cost:        ${turn.conversation.total_cost_usd:.4f}\n"
        f"Usage:                 {read} input, {written} output\n"
        "The demo agent costs nothing; these are the figures that a model would have run up."
    )


def _context(turn: Turn) -> str:
    conversation = turn.conversation
    used, window = conversation.context_tokens, conversation.context_window
    return (
        f"## Context Usage\n\n**Model:** {conversation.model}  \n"
        f"**Tokens:** {used / 1000:.1f}k / {window // 1000}k ({used * 100 // window}%)"
    )
