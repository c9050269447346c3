"""Scripts that fail: an API error, a silent stream, a dead process."""

from __future__ import annotations

import re

from lulu.agent.demo import frames, project, tools
from lulu.agent.demo.blocks import ApiFailed, Crashed, Say
from lulu.agent.demo.turn import Turn

#: Statuses that a prompt can name, with Claude Code's name and message for each.
_FAILURES = {
    401: ("authentication_failed", "Invalid authentication credentials"),
    429: ("rate_limit", "This request would exceed your account's rate limit. Please try again later."),
    500: ("server_error", "Internal server error"),
    529: ("server_error", "Overloaded"),
}
_RETRY_MILLISECONDS = (520, 1_080, 2_130, 4_260)


async def api_error(turn: Turn) -> None:
    """End a turn with an API error after some retries. The prompt may name 401, 429, 500 or 529."""
    await turn.reply(
        Say("I'll look at the invoice first."), tools.read(turn.path("billing", "invoice.py"), project.INVOICE)
    )
    named = re.search(r"\b(401|429|500|529)\b", turn.prompt.text)
    status = int(named[0]) if named else 529
    error, message = _FAILURES[status]
    await turn.emit(frames.status("requesting"))
    for attempt, delay in enumerate(_RETRY_MILLISECONDS, start=1):
        await turn.emit(
            frames.system(
                "api_retry",
                attempt=attempt,
                max_retries=len(_RETRY_MILLISECONDS),
                retry_delay_ms=delay,
                error_status=status,
                error=error,
            )
        )
        await turn.pause(delay / 1000)
    if status == 429:
        limit = {"status": "rejected", "rateLimitType": "five_hour", "utilization": 1.0, "isUsingOverage": False}
        await turn.emit({"type": "rate_limit_event", "rate_limit_info": limit})
    raise ApiFailed(status=status, error=error, message=message)


async def stall(turn: Turn) -> None:
    """Stop streaming in mid-sentence, until an interrupt."""
    await turn.reply(Say("One look at the project."), tools.bash("ls", "List the project", project.TREE))
    await turn.reply(Say("The invoice module has three parts. The first of them is", stalls=True))


async def crash(turn: Turn) -> None:
    """Let the agent process die in mid-turn."""
    await turn.reply(Say("One look at the project."), tools.bash("ls", "List the project", project.TREE))
    await turn.emit(frames.status("requesting"))
    message = await turn.open_message()
    await turn.begin_text(message, "The invoice module has three")
    raise Crashed(
        exit_code=139,
        stderr=(
            "RangeError: Maximum call stack size exceeded",
            "    at Demo.pretend (demo:139:11)",
            "Segmentation fault (core dumped)",
        ),
    )
