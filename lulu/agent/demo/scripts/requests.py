"""A script with a slow tool that can be stopped."""

from __future__ import annotations

from typing import Any

from lulu.agent.demo import frames
from lulu.agent.demo.blocks import Say
from lulu.agent.demo.calls import Call, Output
from lulu.agent.demo.turn import Turn

_COMMAND = "python -m pytest -q --run-slow"
_SECONDS = 20
_STDOUT = """\
........................................................................ [ 52%]
.................................................................        [100%]
137 passed in 19.62s
"""


async def _work(turn: Turn, use_id: str, tool_input: dict[str, Any]) -> Output:
    task_id = "b" + frames.new_uuid()[:8]
    await turn.pause(2)
    await turn.emit(
        frames.system(
            "task_started",
            task_id=task_id,
            tool_use_id=use_id,
            description="Run the slow tests too",
            task_type="local_bash",
            is_backgrounded=False,
        )
    )
    status = "killed"
    try:
        await turn.pause(_SECONDS - 2)
        status = "completed"
    finally:
        await turn.emit(frames.system("task_updated", task_id=task_id, patch={"status": status}))
    data = {"stdout": _STDOUT, "stderr": "", "interrupted": False, "isImage": False, "noOutputExpected": False}
    return Output(content=_STDOUT, data=data)


async def slow_tool(turn: Turn) -> None:
    """Run a command for twenty seconds."""
    tool_input = {"command": _COMMAND, "description": "Run the slow tests too", "timeout": 60_000}
    request = {"description": "Run the slow tests too", "decision_reason": "This command requires approval"}
    [ran] = await turn.reply(
        Say("The slow tests take about twenty seconds."),
        Call(name="Bash", input=tool_input, work=_work, request=request),
    )
    await turn.reply(Say("All 137 tests pass, the slow ones too." if ran else "Then I leave the slow tests out."))
