"""Looks of the tools for shell commands."""

from __future__ import annotations

import streamlit as st

from lulu.text.labels import safe_label
from lulu.text.plain import console
from lulu.transcript import tool_results
from lulu.transcript.tool_results import argument, structured
from lulu.transcript.turns import ToolCall
from lulu.ui import formats
from lulu.ui.content import blocks, images
from lulu.ui.tools.registry import look, show_raw


def _exit_state(call: ToolCall) -> str:
    told, code = structured(call), tool_results.exit_code(call)
    if told.get("interrupted") is True:
        return ":orange[interrupted]"
    if told.get("backgroundTaskId"):
        return "in the background"
    if code:
        return f":red[exit {code}]"
    return safe_label(tool_results.first_text(told, "status"), 30)


@look(
    "Bash",
    "PowerShell",
    icon="terminal",
    line=lambda call: formats.code(argument(call, "command")),
    sum_up=_exit_state,
)
def bash(call: ToolCall) -> None:
    """Draw the command and its output, as a terminal shows them."""
    if argument(call, "description"):
        st.caption(safe_label(argument(call, "description"), 200))
    with st.container(key=f"console_{call.key}", gap=None):
        if argument(call, "command"):
            blocks.code(argument(call, "command"), key=f"input_{call.key}", language="bash")
        _show_output(call)
    images.show_answered(call)
    background, meaning = (tool_results.first_text(structured(call), name) for name in _AFTERWARDS)
    said = formats.line(f"In the background as {formats.code(background)}" if background else "", safe_label(meaning))
    if said:
        st.caption(said)


_AFTERWARDS = ("backgroundTaskId", "returnCodeInterpretation")


@look(
    *("BashOutput", "TaskOutput", "KillBash", "KillShell", "TaskStop"),
    icon="terminal",
    line=lambda call: formats.code(argument(call, "bash_id", "shell_id", "task_id")),
    sum_up=_exit_state,
)
def background_shell(call: ToolCall) -> None:
    """Draw the output of a command in the background, or how it ended."""
    if tool_results.first_text(structured(call), "command"):
        st.caption(formats.code(tool_results.first_text(structured(call), "command"), 200))
    with st.container(key=f"console_{call.key}", gap=None):
        _show_output(call)
    show_raw(call)


def _show_output(call: ToolCall) -> None:
    if call.result is None:
        return
    written, complaints = (console(part) for part in tool_results.output(call))
    if written.strip():
        blocks.code(written, key=f"result_{call.key}")
    if complaints.strip():
        st.caption("stderr")
        blocks.code(complaints, key=f"stderr_{call.key}")
    if not written.strip() and not complaints.strip():
        st.caption("No output.")
