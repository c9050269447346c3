"""Scripts with sub-agents: two that ask for permission at the same time, and one in the background."""

from __future__ import annotations

from lulu.agent.demo import project, tools
from lulu.agent.demo.blocks import Say, Think
from lulu.agent.demo.subagents import SubAgent, agent, background_agent
from lulu.agent.demo.turn import Turn


async def _check_tests(agent: SubAgent) -> str:
    await agent.reply(
        Think("I should know what the tests promise before I run them."),
        tools.read(agent.turn.path("tests", "test_invoice.py"), project.TESTS),
    )
    [ran] = await agent.reply(tools.bash("python -m pytest -q", "Run the test suite", project.TEST_OUTPUT, seconds=2.0))
    return "All 14 tests pass." if ran else "I was not allowed to run the tests; by reading, they look complete."


async def _check_types(agent: SubAgent) -> str:
    await agent.reply(
        Say("Looking at the types of the billing package."),
        tools.read(agent.turn.path("billing", "invoice.py"), project.INVOICE),
    )
    [ran] = await agent.reply(
        tools.bash("python -m mypy --strict billing", "Check the types", project.TYPE_OUTPUT, seconds=2.0)
    )
    return "The types are sound." if ran else "I was not allowed to run mypy; the annotations look complete."


async def subagents(turn: Turn) -> None:
    """Run two sub-agents in parallel, each with its own permission request."""
    tests, types = await turn.reply(
        Think("Tests and types do not depend on one another, so two agents can look at the same time."),
        Say("I'll have two agents check the project side by side."),
        agent("Run the tests", "Run the test suite of this project and report what fails.", _check_tests),
        agent("Check the types", "Check the types of the billing package and report what is wrong.", _check_types),
    )
    await turn.reply(
        Say(
            "Both agents are back:\n\n"
            f"- **Tests**: {tests.output.content[0]['text']}\n"
            f"- **Types**: {types.output.content[0]['text']}\n"
        )
    )


async def _count_rounding(agent: SubAgent) -> str:
    await agent.reply(
        Think("Every place where an amount is rounded, one by one."),
        tools.bash("grep -rn quantize billing", "Find where amounts are rounded", project.SEARCH),
    )
    await agent.reply(
        Say("Two places. The receipt only formats; the invoice really rounds."),
        tools.read(agent.turn.path("billing", "invoice.py"), project.INVOICE),
    )
    return "Amounts are rounded in two places: `billing/invoice.py:27` and, for display only, `billing/receipt.py:11`."


async def _tell_rounding(turn: Turn) -> None:
    await turn.reply(
        Say("The background agent has finished: amounts are rounded in **two** places, and only `invoice.py` matters.")
    )


async def background(turn: Turn) -> None:
    """Run a sub-agent that reports after the turn has ended."""
    await turn.reply(
        Say("That can go on by itself; I'll send an agent and tell you when it is back."),
        background_agent(
            "Survey the rounding", "List every place that rounds an amount.", _count_rounding, _tell_rounding
        ),
    )
    await turn.reply(Say("The agent is on its way. You can ask me something else meanwhile."))
