"""The registry of looks, the generic look, and drawing functions that several looks share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from lulu.transcript.tool_results import answer, as_json, indented
from lulu.transcript.turns import ToolCall
from lulu.ui import formats
from lulu.ui.content import blocks, images

Draw = Callable[[ToolCall], None]
Say = Callable[[ToolCall], str]


def nothing(call: ToolCall) -> str:
    """Return an empty string: the default for the optional texts of a look."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Look:
    """The drawing of one tool. Its texts are safe markup (``formats.code``, ``safe_label``)."""

    icon: str
    #: The call's argument, after the tool's name. Must not change when the result arrives.
    line: Say
    #: Draws the content of the expander.
    body: Draw
    #: The tool's name for people; empty if it is the tool's own.
    title: str = ""
    #: The result in a word or two, at the end of the line.
    sum_up: Say = nothing
    #: The progress while there is no result, or while a task goes on after it.
    progress: Say = nothing
    #: Draws what follows below a sub-agent's own calls.
    ending: Draw | None = None
    #: Whether it is unfolded once it is answered: a person's answer stays visible.
    opens: bool = False
    #: The words for an approval and a denial by a person.
    yes: str = "approved"
    no: str = "denied"


LOOKS: dict[str, Look] = {}


def look_of(name: str) -> Look:
    """Return the look that is registered for a tool, else the generic one."""
    return LOOKS.get(name, GENERIC)


def title_of(name: str) -> str:
    """Return a tool's name for people, and ``server/tool`` for a tool of an MCP server."""
    if name.startswith("mcp__") and name.count("__") >= 2:
        _, server, tool = name.split("__", 2)
        return f"{server}/{tool}"
    return look_of(name).title or name or "Tool"


def look(
    *names: str,
    icon: str,
    line: Say,
    title: str = "",
    sum_up: Say = nothing,
    progress: Say = nothing,
    ending: Draw | None = None,
) -> Callable[[Draw], Draw]:
    """Register the decorated function as the body of the look of these tools."""

    def register(body: Draw) -> Draw:
        made = Look(icon=icon, line=line, title=title, body=body, sum_up=sum_up, progress=progress, ending=ending)
        LOOKS.update(dict.fromkeys(names, made))
        return body

    return register


def look_for_people(name: str, *, icon: str, title: str, line: Say, yes: str, no: str) -> Callable[[Draw], Draw]:
    """Register the decorated function as the look of a tool that asks a person.

    Its calls are unfolded once they are answered.
    """

    def register(body: Draw) -> Draw:
        LOOKS[name] = Look(icon=icon, line=line, body=body, title=title, opens=True, yes=yes, no=no)
        return body

    return register


# -- pieces of bodies ------------------------------------------------------------------------------------------------


def show_answer(call: ToolCall, *, language: str | None = None, title: str = "") -> None:
    """Draw a tool's result as a code block, JSON indented."""
    if call.result is None:
        return
    text, found = indented(answer(call))
    if title:
        st.caption(title)
    if text.strip():
        blocks.code(text, key=f"result_{call.key}", language=language or found)
    elif not isinstance(call.result.content, list):
        st.caption("No output.")


def _generic_line(call: ToolCall) -> str:
    values = [value for value in call.input.values() if isinstance(value, str) and value.strip()]
    return formats.code(values[0], 80) if values else ""


def generic(call: ToolCall) -> None:
    """Draw a call of any tool: arguments as a table, result, and the whole call as JSON."""
    blocks.table(call.input, key=f"input_{call.key}")
    show_answer(call)
    images.show_answered(call)
    show_raw(call)


def show_raw(call: ToolCall) -> None:
    """Draw an expander with the whole call as it is stored."""
    raw = {"input": call.input, "result": call.result.content if call.result else None}
    if call.result and call.result.data is not None:
        raw["data"] = call.result.data
    opened = st.expander(
        ":gray[Raw JSON]", key=f"raw_call_{call.key}", icon=":material/data_object:", type="compact", on_change="rerun"
    )
    if opened.open:
        with opened:
            blocks.code(as_json(raw), key=f"raw_{call.key}", language="json")


GENERIC = Look(icon="build", line=_generic_line, body=generic)
