"""A script of many finished text blocks at a steady rate, for measuring the store and the pages."""

from __future__ import annotations

import re

from lulu.agent.demo import frames, tools
from lulu.agent.demo.blocks import finished_block
from lulu.agent.demo.turn import Turn

#: ``bench:<texts a second>:<seconds>``, or ``fast <texts>`` at 50 a second.
WORDS = r"\bbench:(?P<rate>\d+(?:\.\d+)?):(?P<seconds>\d+(?:\.\d+)?)|\bfast (?P<count>\d+)\b"

_FAST_RATE = 50.0
_MOST = 1_000_000


async def bench(turn: Turn) -> None:
    """Run one quick tool, then send exactly ``rate * seconds`` complete text blocks without streaming."""
    rate, count = _wanted(turn.prompt.text)
    await turn.reply(tools.bash("echo ready", "Say that we are ready", "ready\n", seconds=0))
    await turn.emit(frames.status("requesting"))
    message = await turn.open_message()
    async for number in turn.pace.beat(rate=rate, count=count):
        block = finished_block("text", f"Text {number + 1} of {count}, with **some words** and `code` for the page.")
        message.written += block["text"]
        await turn.emit(
            frames.assistant(block, message_id=message.message_id, model=turn.conversation.model, usage=message.opening)
        )
    await turn.close_message("end_turn")


def _wanted(prompt: str) -> tuple[float, int]:
    found = re.search(WORDS, prompt, re.IGNORECASE)
    if not found:
        return _FAST_RATE, 0
    if found["count"]:
        return _FAST_RATE, min(int(found["count"]), _MOST)
    rate = float(found["rate"]) or _FAST_RATE
    return rate, min(round(rate * float(found["seconds"])), _MOST)
