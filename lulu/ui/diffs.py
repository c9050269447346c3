"""What an editing tool changes, as diff lines: from Claude Code's own patch, else made from the arguments."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from lulu.transcript import ToolCall
from lulu.ui.results import structured

#: Lines around a change in a diff.
_CONTEXT = 3
#: Rows of a diff that is computed here; difflib is slow on long texts.
_MAX_DIFF_LINES = 4_000


def change_of(call: ToolCall) -> list[str]:
    """What the call changed: its own patch, else made from its arguments."""
    return patch_lines(structured(call).get("structuredPatch")) or change_in(call.input)


def counts(lines: Iterable[str]) -> tuple[int, int]:
    """How many lines were added, and how many removed."""
    signs = [line[:1] for line in lines]
    return signs.count("+"), signs.count("-")


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
