"""A script with a checklist: tasks as in the present Claude Code, and todos as in older ones."""

from __future__ import annotations

from lulu.agent.demo import project, tools
from lulu.agent.demo.blocks import Say, Think
from lulu.agent.demo.calls import Call
from lulu.agent.demo.turn import Turn

_STEPS = (
    ("Reproduce the cent", "Reproducing the cent"),
    ("Round the tax once", "Rounding the tax once"),
    ("Cover it with a test", "Covering it with a test"),
)


async def todo(turn: Turn) -> None:
    """Create three tasks, work on them, and show them as todos."""
    await turn.reply(
        Think("Three steps, in this order."),
        Say("I'll keep a list, so that you can follow."),
        *(_create(number) for number in (1, 2, 3)),
    )
    await turn.reply(_update(1, "pending", "in_progress"))
    await turn.reply(tools.read(turn.path("billing", "invoice.py"), project.INVOICE))
    await turn.reply(_update(1, "in_progress", "completed"), _update(2, "pending", "in_progress"))
    await turn.reply(Say("The older form of the same list:"), _todos("completed", "in_progress", "pending"))
    await turn.reply(Say("The cent is reproduced, the rounding is in work, the test comes last."))


def _create(number: int) -> Call:
    subject, doing = _STEPS[number - 1]
    description = f"{subject}, in billing/invoice.py"
    return tools.answered(
        "TaskCreate",
        {"subject": subject, "description": description, "activeForm": doing},
        f"Task #{number} created successfully: {subject}",
        {"task": {"id": str(number), "subject": subject, "description": description}},
        seconds=0.1,
    )


def _update(number: int, before: str, after: str) -> Call:
    change = {"from": before, "to": after}
    return tools.answered(
        "TaskUpdate",
        {"taskId": str(number), "status": after},
        f"Updated task #{number} status",
        {"success": True, "taskId": str(number), "updatedFields": ["status"], "statusChange": change},
        seconds=0.1,
    )


def _todos(*statuses: str) -> Call:
    todos = [
        {"content": subject, "activeForm": doing, "status": status}
        for (subject, doing), status in zip(_STEPS, statuses, strict=True)
    ]
    content = "Todos have been modified successfully. Ensure that you continue to use the todo list."
    return tools.answered("TodoWrite", {"todos": todos}, content, {"oldTodos": [], "newTodos": todos}, seconds=0.1)
