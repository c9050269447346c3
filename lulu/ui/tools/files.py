"""Looks of the tools that read, search and change files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

import streamlit as st

from lulu.text.labels import safe_label
from lulu.transcript import diffs, tool_results
from lulu.transcript.tool_results import argument, number, structured
from lulu.transcript.turns import ToolCall
from lulu.ui import formats
from lulu.ui.content import blocks, images
from lulu.ui.tools.registry import look, show_answer

#: The highlighter's language for each file ending.
_LANGUAGES = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "ts": "typescript", "tsx": "tsx",
    "jsx": "jsx", "json": "json", "jsonl": "json", "md": "markdown", "sh": "bash", "yml": "yaml", "yaml": "yaml",
    "toml": "toml", "css": "css", "html": "html", "sql": "sql", "rs": "rust", "go": "go", "java": "java", "c": "c",
    "h": "c", "cpp": "cpp", "rb": "ruby", "php": "php", "kt": "kotlin", "swift": "swift",
}  # fmt: skip


def _short_path(path: str) -> str:
    """Return the last two names of a path: enough to recognize a file."""
    parts = PurePath(path).parts
    return "/".join(parts[-2:]) if len(parts) > 2 else path


#: Arguments that are shown without their names.
_SPEAK_FOR_THEMSELVES = ("file_path", "notebook_path", "pattern")


def _path_line(call: ToolCall) -> str:
    return formats.code(_short_path(argument(call, "file_path", "notebook_path", "path")))


def _language(path: str) -> str | None:
    return _LANGUAGES.get(PurePath(path).suffix.removeprefix(".").lower())


def _lines_read(call: ToolCall) -> str:
    file = structured(call).get("file")
    if call.failed:
        return ""
    if isinstance(file, Mapping):
        lines, pages = number(file, "numLines"), number(file, "count")
        if lines is not None:
            return formats.plural(lines, "line")
        return formats.plural(pages, "page") if pages is not None else ""
    return _count_lines(call, "line")


def _count_lines(call: ToolCall, noun: str) -> str:
    lines = [line for line in tool_results.answer(call).splitlines() if line.strip()]
    return formats.plural(len(lines), noun) if lines else ""


def _found(call: ToolCall) -> str:
    if call.failed:
        return ""
    told = structured(call)
    files, lines, matches = (number(told, name) for name in ("numFiles", "numLines", "numMatches"))
    if matches:
        return formats.plural(matches, "match").replace("matchs", "matches")
    if lines:
        return formats.plural(lines, "line")
    if files is not None:
        return formats.plural(files, "file") if files else "nothing found"
    if tool_results.answer(call).startswith("No files found"):
        return "nothing found"
    return _count_lines(call, "line")


def _pattern_line(call: ToolCall) -> str:
    where = argument(call, "path", "glob", "type")
    return " ".join(part for part in (formats.code(argument(call, "pattern")), _in(where)) if part)


def _in(where: str) -> str:
    return f"in {formats.code(_short_path(where))}" if where else ""


@look("Read", "NotebookRead", icon="description", line=_path_line, sum_up=_lines_read)
def read(call: ToolCall) -> None:
    """Draw the file, or its part, as the agent read it."""
    _show_arguments(call)
    images.show_answered(call)
    file = structured(call).get("file")
    content = file.get("content") if isinstance(file, Mapping) else None
    if isinstance(content, str) and content.strip() and not call.failed:
        blocks.code(content, key=f"result_{call.key}", language=_language(argument(call, "file_path")))
    else:
        show_answer(call)


@look("Grep", icon="search", line=_pattern_line, sum_up=_found)
@look("Glob", icon="folder_open", line=_pattern_line, sum_up=_found)
@look("LS", icon="folder_open", line=_path_line, sum_up=lambda call: "" if call.failed else _count_lines(call, "line"))
def looking(call: ToolCall) -> None:
    """Draw the arguments of a file search and its result."""
    _show_arguments(call)
    show_answer(call)


def _show_arguments(call: ToolCall) -> None:
    st.caption(
        " · ".join(
            _value(value) if name in _SPEAK_FOR_THEMSELVES else f"{safe_label(name)} {_value(value)}"
            for name, value in call.input.items()
        )
    )


def _value(value: object) -> str:
    return formats.code(value if isinstance(value, str) else tool_results.as_json(value), 300)


def _changed(call: ToolCall) -> str:
    if call.failed:
        return ""
    added, removed = diffs.counts(diffs.change_of(call))
    return " ".join([f":green[+{added}]" if added else "", f":red[−{removed}]" if removed else ""]).strip()


@look("Edit", "MultiEdit", "Write", icon="edit_document", line=_path_line, sum_up=_changed)
@look("NotebookEdit", icon="edit_document", line=_path_line, sum_up=_changed, title="Edit")
def editing(call: ToolCall) -> None:
    """Draw the change as a diff. The tool's answer follows only if the call failed or changed nothing."""
    told = structured(call)
    st.caption(
        formats.line(
            formats.code(argument(call, "file_path", "notebook_path"), 400),
            "new file" if told.get("type") == "create" else "",
            "all occurrences" if call.input.get("replace_all") is True else "",
            f"cell {formats.code(argument(call, 'cell_id'))}" if argument(call, "cell_id") else "",
            safe_label(argument(call, "edit_mode")),
            ":orange[changed by the person who approved it]" if told.get("userModified") is True else "",
        )
    )
    change = "\n".join(diffs.change_of(call))
    if change:
        blocks.code(change, key=f"input_{call.key}", language="diff")
    if call.failed or call.is_denied or not change:
        show_answer(call)
