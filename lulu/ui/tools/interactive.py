"""Looks of the tools for sub-agents, checklists, questions and plans."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lulu.model.events import Text
from lulu.text.labels import safe_label
from lulu.transcript import tool_results
from lulu.transcript.checklist import of_todos
from lulu.transcript.tool_results import argument, number, structured
from lulu.transcript.turns import Note, ToolCall
from lulu.ui import formats
from lulu.ui.approvals import elicitation, plans, questions
from lulu.ui.content import blocks
from lulu.ui.content.checklist_items import show_items
from lulu.ui.tools.registry import generic, look, look_for_people, nothing, show_answer


def _task_state(call: ToolCall) -> str:
    """Return the progress of a sub-agent, from the last system events about it."""
    told = [event.data or {} for event in tool_results.machinery(call) if event.subtype.startswith("task_")]
    ended = next((data["status"] for data in reversed(told) if isinstance(data.get("status"), str)), "")
    usage: Mapping[str, object] = next(
        (data["usage"] for data in reversed(told) if isinstance(data.get("usage"), Mapping)), {}
    )
    steps = number(usage, "tool_uses")
    if call.result is not None and structured(call).get("status") != "async_launched":
        return ""
    doing = next(
        (tool_results.first_text(data, "description") for data in reversed(told) if data.get("last_tool_name")), ""
    )
    where = "in the background" if call.result is not None else "running"
    return formats.line(
        safe_label(ended) or where,
        formats.plural(steps, "step") if steps else "",
        safe_label(doing, 40) if doing and not ended else "",
    )


def _task_took(call: ToolCall) -> str:
    steps = number(structured(call), "totalToolUseCount")
    return formats.plural(steps, "step") if steps else ""


def _show_report(call: ToolCall) -> None:
    written = [item.stored.event for item in call.thread if isinstance(item, Note)]
    texts = [event.content for event in written if isinstance(event, Text)]
    if not tool_results.is_told(tool_results.answer(call), texts):
        show_answer(call, title="" if call.failed else "Answer")


@look(
    *("Task", "Agent"),
    icon="smart_toy",
    line=lambda call: safe_label(argument(call, "description", "prompt")),
    sum_up=_task_took,
    progress=_task_state,
    ending=_show_report,
)
def sub_agent(call: ToolCall) -> None:
    """Draw a sub-agent's prompt. Its own calls and its answer follow below."""
    told = structured(call)
    tokens = number(told, "totalTokens")
    st.caption(
        formats.line(
            safe_label(argument(call, "subagent_type")),
            safe_label(argument(call, "model")),
            f"{tokens / 1000:.1f}k tokens" if tokens else "",
        )
    )
    if argument(call, "prompt"):
        blocks.code(argument(call, "prompt"), key=f"input_{call.key}")


def _todos_done(call: ToolCall) -> str:
    written = of_todos(call.input)
    return f"{written.done} of {len(written.items)} done" if written.items else ""


@look("TodoWrite", icon="checklist", title="Checklist", line=_todos_done)
def todo_write(call: ToolCall) -> None:
    """Draw the list as this call wrote it. The panel above the prompt box shows the newest list."""
    written = of_todos(call.input)
    if written.items:
        with blocks.scrolling(f"todos_{call.key}"):
            show_items(written)
    else:
        generic(call)


@look("TaskCreate", icon="add_task", title="New task", line=lambda call: safe_label(argument(call, "subject")))
@look(
    "TaskUpdate",
    icon="checklist",
    title="Task",
    line=lambda call: " ".join(
        part
        for part in (
            f"\\#{safe_label(str(call.input.get('taskId')))}" if call.input.get("taskId") else "",
            safe_label(argument(call, "status").replace("_", " ")),
            safe_label(argument(call, "subject")),
        )
        if part
    ),
)
def task(call: ToolCall) -> None:
    """Draw a call that created or changed one task of the checklist."""
    generic(call)


def _asked(call: ToolCall) -> str:
    asked = questions.read(call.input)
    more = f"and {len(asked) - 1} more" if len(asked) > 1 else ""
    return " ".join(part for part in (safe_label(asked[0].text) if asked else "", more) if part)


@look_for_people(questions.TOOL, icon="contact_support", title="Question", line=_asked, yes="answered", no="skipped")
def question(call: ToolCall) -> None:
    """Draw a question of the agent with its answer."""
    asked = questions.read(call.input)
    if not asked:
        generic(call)
        return
    found = structured(call).get("answers") or call.input.get("answers")
    questions.show_answered(asked, found if isinstance(found, Mapping) else {}, key=call.key)


@look_for_people(
    elicitation.TOOL,
    icon="contact_support",
    title="Question of a server",
    line=lambda call: safe_label(elicitation.read(call.input).message),
    yes="answered",
    no="declined",
)
def elicited(call: ToolCall) -> None:
    """Draw a question of an MCP server with its answer."""
    elicitation.show_answered(elicitation.read(call.input), structured(call))


@look_for_people(plans.TOOL, icon="map", title="Plan", line=nothing, yes="approved", no="sent back")
def plan(call: ToolCall) -> None:
    """Draw a plan as the person saw it."""
    text = argument(call, "plan") or tool_results.first_text(structured(call), "plan")
    if not text:
        generic(call)
        return
    with st.container(border=True):
        plans.show_text(text, key=call.key)
