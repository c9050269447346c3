"""Scripts that need a person: a question with choices, and a plan to approve."""

from __future__ import annotations

from typing import Any

from lulu.agent.demo import frames, project, tools
from lulu.agent.demo.blocks import Say, Think
from lulu.agent.demo.calls import Call, Outcome, Output
from lulu.agent.demo.turn import Turn

_QUESTIONS = [
    {
        "question": "How should the tax be rounded?",
        "header": "Rounding",
        "multiSelect": False,
        "options": [
            {"label": "Once per invoice", "description": "Add up the exact tax, round the sum"},
            {"label": "Once per rate", "description": "One rounded amount for each tax rate"},
            {"label": "Per line", "description": "As it is now; totals may be a cent off"},
        ],
    },
    {
        "question": "What else shall I update?",
        "header": "Scope",
        "multiSelect": True,
        "options": [
            {"label": "Tests", "description": "A test for each rounding rule"},
            {"label": "Receipts", "description": "Print the tax for each rate"},
            {"label": "Changelog", "description": "One line for the users"},
        ],
    },
]

_PLAN = """\
# Round the tax once

1. **`billing/invoice.py`**: add up the exact tax of all lines, round the sum with `ROUND_HALF_UP`.
2. **`tests/test_invoice.py`**: keep `test_tax_is_rounded_once`; add a case with two tax rates.
3. Run `python -m pytest -q`.

Invoices that were already sent are not touched.
"""


def ask_person(questions: list[dict[str, Any]]) -> Call:
    """Return a question with choices. The updated input has the answers, under ``answers``."""

    async def work(turn: Turn, use_id: str, tool_input: dict[str, Any]) -> Output:
        answers = tool_input.get("answers") or {}
        data = {"questions": questions, "answers": answers}
        if not answers:
            return Output(content="The user did not answer the questions.", data=data)
        given = ", ".join(f'"{question}"="{_words(answer)}"' for question, answer in answers.items())
        content = f"Your questions have been answered: {given}. You can now continue with these answers in mind."
        return Output(content=content, data=data)

    return Call(name="AskUserQuestion", input={"questions": questions}, work=work)


def exit_plan_mode(plan: str, path: str) -> Call:
    """Return a plan to approve. Approval leaves plan mode."""

    async def work(turn: Turn, use_id: str, tool_input: dict[str, Any]) -> Output:
        permissions = turn.conversation.permissions
        if permissions.mode == "plan":
            permissions.mode = "default"
            await turn.emit(frames.status(None, permissionMode=permissions.mode))
        content = (
            "User has approved your plan. You can now start coding. Start with updating your todo list if applicable"
            f"\n\nYour plan has been saved to: {path}\n\n## Approved Plan:\n{plan}"
        )
        return Output(content=content, data={"plan": plan, "isAgent": False, "filePath": path})

    return Call(name="ExitPlanMode", input={"plan": plan, "planFilePath": path}, work=work)


async def question(turn: Turn) -> None:
    """Ask two questions, one with several answers."""
    [asked] = await turn.reply(
        Think("Several rules are legal here. The person should choose, not I."),
        Say("Before I change how tax is rounded, two things are yours to decide."),
        ask_person(_QUESTIONS),
    )
    await turn.reply(Say(_heard(asked)))


async def plan(turn: Turn) -> None:
    """Present a plan, and follow it after its approval."""
    invoice = turn.path("billing", "invoice.py")
    await turn.reply(
        Say("I'll read first and change nothing until you agree to a plan."), tools.read(invoice, project.INVOICE)
    )
    [agreed] = await turn.reply(
        Say("Here is what I would do."),
        exit_plan_mode(_PLAN, turn.path(".claude", "plans", "round-the-tax-once.md")),
    )
    if not agreed:
        await turn.reply(Say("Then I keep planning. What should be different?"))
        return
    [edited] = await turn.reply(tools.edit(invoice, project.INVOICE, project.FAULT, project.FIX))
    done = "Step 1 of the plan is done." if edited else "I left the file as it is; the plan stays open."
    await turn.reply(Say(done))


def _heard(asked: Outcome) -> str:
    if not asked:
        return "All right, no questions. I leave the rounding as it is until you tell me more."
    answers = asked.input.get("answers") or {}
    if not answers:
        return "You gave no answer, so I would round **once per invoice**, the usual choice."
    chosen = "\n".join(f"- {question} **{_words(answer)}**" for question, answer in answers.items())
    return f"Thank you. I'll go on with this:\n\n{chosen}"


def _words(answer: object) -> str:
    return ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)
