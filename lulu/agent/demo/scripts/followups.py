"""Short answers for every prompt after the first, varied, each with a tool."""

from __future__ import annotations

from lulu.agent.demo import project, tools
from lulu.agent.demo.blocks import Say, Think
from lulu.agent.demo.turn import Turn

_QUOTED = 120


def _quoted(turn: Turn) -> str:
    words = " ".join(turn.prompt.text.split())
    return words if len(words) <= _QUOTED else words[:_QUOTED].rstrip() + "…"


async def _add_test(turn: Turn) -> None:
    path = turn.path("tests", "test_cents.py")
    [written] = await turn.reply(
        Say(f"“{_quoted(turn)}”: what would prove it is a test. I'll add one for the odd cents."),
        tools.write(path, project.REGRESSION_TEST),
    )
    done = "`tests/test_cents.py` now holds three invoices with odd cents." if written else "Then no new file."
    await turn.reply(Say(done))


async def _look_back(turn: Turn) -> None:
    await turn.reply(
        Think("The history should tell when the rounding came in."),
        tools.bash("git log --oneline", "Show the history", project.LOG, seconds=0.5),
    )
    await turn.reply(Say(f"On “{_quoted(turn)}”: the rounding of every line came in with `4d07e91`, two commits ago."))


async def _read_receipt(turn: Turn) -> None:
    await turn.reply(
        Say("Let me see what the receipt makes of it."),
        tools.read(turn.path("billing", "receipt.py"), project.RECEIPT),
    )
    await turn.reply(
        Say(
            f"On “{_quoted(turn)}”: the receipt only *prints* amounts, it never adds rounded ones, "
            "so nothing has to change there."
        )
    )


_ANSWERS = (_add_test, _look_back, _read_receipt)


async def follow_up(turn: Turn) -> None:
    """Answer a later prompt, in another way each turn."""
    await _ANSWERS[(turn.conversation.turns - 1) % len(_ANSWERS)](turn)


async def echo(turn: Turn) -> None:
    """Repeat the prompt, word for word, as the agent's own markdown."""
    await turn.reply(tools.bash("date", "Look at the clock", "Mon Nov 23 09:14:07 UTC 2026\n", seconds=0.2))
    await turn.reply(Say(turn.prompt.text))
