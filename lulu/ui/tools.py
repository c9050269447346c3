"""One look for each tool: a line that says what it did, and a body behind it. Tool data is code, never markdown."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import streamlit as st

from lulu.actors import LULU
from lulu.transcript import Run, ToolCall
from lulu.ui import blocks, wording
from lulu.ui.text import safe_label

#: Lines around a change in a diff.
_CONTEXT = 3
#: Rows of a diff that is computed here; difflib is slow on long texts.
_MAX_DIFF_LINES = 4_000

Draw = Callable[[ToolCall], None]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How one tool is shown."""

    icon: str
    #: What it did, after the tool's name: label markup that is safe (``wording.code``, ``safe_label``).
    line: Callable[[ToolCall], str]
    #: What is seen when the fold is open.
    body: Draw


LOOKS: dict[str, Look] = {}


def look(*names: str, icon: str, line: Callable[[ToolCall], str]) -> Callable[[Draw], Draw]:
    """Register the decorated body as the look of these tools."""

    def register(body: Draw) -> Draw:
        LOOKS.update(dict.fromkeys(names, Look(icon=icon, line=line, body=body)))
        return body

    return register


def look_of(name: str) -> Look:
    """The tool's own look, or the generic one."""
    return LOOKS.get(name, GENERIC)


def label_name(name: str) -> str:
    """A tool's name, for a label."""
    return f"**{safe_label(name or 'Tool')}**"


def label(call: ToolCall) -> str:
    """The line of a call: its name, what it does, whether it failed. The same from the call to its answer.

    Streamlit takes a fold with another label or icon for another one: it would close under the reader's pointer.
    """
    parts = [label_name(call.name), look_of(call.name).line(call), ":red[failed]" if call.failed else ""]
    return " ".join(part for part in parts if part)


def run_label(run: Run) -> str:
    """``Read ×4, Edit ×2, Bash: 1 failed · 12 s``."""
    parts = []
    for name, count in run.counts.items():
        failed = run.failures.get(name)
        times = f" ×{count}" if count > 1 else ""
        parts.append(f"{safe_label(name or 'Tool')}{times}" + (f": :red[{failed} failed]" if failed else ""))
    took = wording.duration(run.seconds * 1000) if run.seconds and run.seconds >= 1 else ""
    answerers = dict.fromkeys(_answerer(call) for call in run.calls)
    return wording.line(f"**{', '.join(parts)}**", f":small[:gray[{took}]]" if took else "", *answerers)


def icon(call: ToolCall) -> str:
    """The tool's icon."""
    return f":material/{look_of(call.name).icon}:"


def outcome(call: ToolCall, *, live: bool) -> str:
    """How a call stands, for the end of its line: who answered, waiting, how long it took; or nothing."""
    if call.is_denied:
        return f":orange[{_answerer(call) or 'denied'}]"
    if call.is_waiting and live:
        return ":blue[waits for you]"
    return wording.line(_answerer(call), _end(call, live=live))


def _end(call: ToolCall, *, live: bool) -> str:
    if call.is_stopped:
        return "stopped"
    if call.decision is not None and call.decision.decision != "approved" and call.result is None:
        return safe_label(call.decision.decision)
    if call.result is None and call.use is not None and not live:
        return "no result"
    return wording.duration(call.seconds * 1000) if call.seconds and call.seconds >= 1 else ""


def _answerer(call: ToolCall) -> str:
    """What a person answered, and who it was; nothing where nobody was asked."""
    decision = call.decision
    if decision is None or decision.decision not in ("approved", "denied") or decision.actor in (None, LULU.name):
        return ""
    return f"{decision.decision} by {safe_label(decision.actor or '')}"


# -- reading inputs and results --------------------------------------------------------------------------------------


def argument(call: ToolCall, *names: str) -> str:
    """The first of these arguments that is a text; nothing where none is."""
    for name in names:
        value = call.input.get(name)
        if isinstance(value, str):
            return value
    return ""


def result_data(call: ToolCall) -> Mapping[str, Any]:
    """Claude Code's structured result; empty where there is none."""
    data = call.result.data if call.result else None
    return data if isinstance(data, Mapping) else {}


def result_text(call: ToolCall) -> str:
    """What the tool answered, as text. Blocks that are no text are named."""
    content = call.result.content if call.result else None
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_block_text(block) for block in content)
    return "" if content is None else as_json(content)


def _block_text(block: object) -> str:
    if isinstance(block, Mapping) and isinstance(block.get("text"), str):
        return str(block["text"])
    if isinstance(block, Mapping) and block.get("type") == "image":
        return "[image]"
    return as_json(block)


def as_json(value: object) -> str:
    """Indented JSON; what JSON cannot hold is shown as Python shows it."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def _short_path(path: str) -> str:
    """The last two names of a path: enough to know the file by."""
    parts = PurePath(path).parts
    return "/".join(parts[-2:]) if len(parts) > 2 else path


def _path_line(call: ToolCall) -> str:
    return wording.code(_short_path(argument(call, "file_path", "notebook_path", "path")))


# -- pieces of bodies ------------------------------------------------------------------------------------------------


def show_answer(call: ToolCall, *, language: str | None = None, title: str = "") -> None:
    """What the tool answered, as a block."""
    text = result_text(call)
    if call.result is None:
        return
    if title:
        st.caption(title)
    if text.strip():
        blocks.code(text, key=f"result_{call.key}", language=language)
    else:
        st.caption("No output.")


def show_permission(call: ToolCall) -> None:
    """Whether a person was asked, what they said, and who it was."""
    if call.permission is None and call.decision is None:
        return
    said = safe_label(call.decision.decision) if call.decision else "not answered"
    who = f"by {safe_label(call.decision.actor)}" if call.decision and call.decision.actor else ""
    if call.is_stopped and not _answerer(call):
        said, who = "not answered, the turn was stopped", ""
    why = f"“{safe_label(call.decision.message, 400)}”" if call.decision and call.decision.message else ""
    st.caption(wording.line(f"Permission: {said} {who}".strip(), why))


def diff_lines(before: str, after: str, *, context: int = _CONTEXT) -> list[str]:
    """A unified diff without its file names, with ``context`` unchanged lines around each change."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > _MAX_DIFF_LINES:
        return [*(f"-{line}" for line in old), *(f"+{line}" for line in new)]
    return list(difflib.unified_diff(old, new, lineterm="", n=context))[2:]


def patch_lines(patch: object) -> list[str]:
    """The lines of Claude Code's ``structuredPatch``; empty where it is of another shape."""
    lines: list[str] = []
    for hunk in patch if isinstance(patch, list) else []:
        if not isinstance(hunk, Mapping) or not isinstance(hunk.get("lines"), list):
            return []
        old, new = (f"{hunk.get(f'{side}Start')},{hunk.get(f'{side}Lines')}" for side in ("old", "new"))
        lines.append(f"@@ -{old} +{new} @@")
        lines += [line for line in hunk["lines"] if isinstance(line, str)]
    return lines


def change_of(call: ToolCall) -> list[str]:
    """What an editing tool changed, as diff lines: its own patch, else made from its arguments."""
    patch = patch_lines(result_data(call).get("structuredPatch"))
    return patch or change_in(call.input)


def change_in(arguments: Mapping[str, Any], *, context: int = _CONTEXT) -> list[str]:
    """What an editing tool's arguments ask to change, as diff lines."""
    edits = arguments.get("edits")
    if isinstance(edits, list):
        return [line for edit in edits if isinstance(edit, Mapping) for line in change_in(edit, context=context)]
    before, after = (arguments.get(name, "") for name in ("old_string", _new_text(arguments)))
    return diff_lines(
        before if isinstance(before, str) else "", after if isinstance(after, str) else "", context=context
    )


def beside_the_change(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What ``change_in`` leaves out of these arguments."""
    edits = arguments.get("edits")
    if isinstance(edits, list):
        left = [beside_the_change(edit) if isinstance(edit, Mapping) else edit for edit in edits]
        return {**arguments, "edits": left}
    told = ("old_string", _new_text(arguments))
    return {name: value for name, value in arguments.items() if name not in told or not isinstance(value, str)}


def _new_text(arguments: Mapping[str, Any]) -> str:
    """The name of the argument that holds what is written."""
    names = ("new_string", "content", "new_source")
    return next((name for name in names if isinstance(arguments.get(name), str)), names[0])


def _counts(lines: Iterable[str]) -> tuple[int, int]:
    signs = [line[:1] for line in lines]
    return signs.count("+"), signs.count("-")


def _edit_line(call: ToolCall) -> str:
    added, removed = _counts(change_in(call.input))
    counts = [f":green[+{added}]" if added else "", f":red[−{removed}]" if removed else ""]
    return " ".join(part for part in (_path_line(call), *counts) if part)


# -- the looks -------------------------------------------------------------------------------------------------------


def _generic_line(call: ToolCall) -> str:
    values = [value for value in call.input.values() if isinstance(value, str) and value.strip()]
    return wording.code(values[0], 80) if values else ""


def generic(call: ToolCall) -> None:
    """Any tool: its arguments and its answer."""
    if call.input:
        blocks.code(as_json(call.input), key=f"input_{call.key}", language="json")
    show_answer(call)


GENERIC = Look(icon="build", line=_generic_line, body=generic)


@look("Bash", "BashOutput", icon="terminal", line=lambda call: wording.code(argument(call, "command", "bash_id")))
def bash(call: ToolCall) -> None:
    """The command, and its output as a console shows it."""
    if argument(call, "description"):
        st.caption(safe_label(argument(call, "description"), 200))
    if argument(call, "command"):
        blocks.code(argument(call, "command"), key=f"input_{call.key}", language="bash")
    show_answer(call)


@look("Read", icon="description", line=_path_line)
@look("Grep", icon="search", line=lambda call: wording.code(argument(call, "pattern")))
@look("Glob", icon="folder_open", line=lambda call: wording.code(argument(call, "pattern")))
@look("LS", icon="folder_open", line=_path_line)
def reading(call: ToolCall) -> None:
    """Where it looked, and what it found."""
    more = {name: value for name, value in call.input.items() if not isinstance(value, dict | list)}
    st.caption(" · ".join(f"{safe_label(name)} {wording.code(str(value))}" for name, value in more.items()))
    show_answer(call)


@look("Edit", "MultiEdit", "Write", "NotebookEdit", icon="edit_document", line=_edit_line)
def editing(call: ToolCall) -> None:
    """The change as a diff; the answer only where it failed."""
    st.caption(wording.code(argument(call, "file_path", "notebook_path"), 400))
    blocks.code("\n".join(change_of(call)), key=f"input_{call.key}", language="diff")
    if call.failed or call.is_denied:
        show_answer(call)


@look("Task", "Agent", icon="smart_toy", line=lambda call: safe_label(argument(call, "description", "prompt")))
def sub_agent(call: ToolCall) -> None:
    """What the sub-agent was told, and what it answered."""
    blocks.code(argument(call, "prompt"), key=f"input_{call.key}")
    show_answer(call, title="Answer")


@look("WebFetch", "WebSearch", icon="public", line=lambda call: wording.code(argument(call, "url", "query")))
def web(call: ToolCall) -> None:
    """What was asked of the web, and a short result."""
    generic(call)
