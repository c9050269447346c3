"""Show a change by an editing tool as diff lines, from Claude Code's patch or from the arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pygit2 import Patch
from pygit2.enums import DiffOption

from lulu.transcript.tool_results import structured
from lulu.transcript.turns import ToolCall

#: Unchanged lines around a change in a diff.
_CONTEXT = 3
#: Visible signs for blanks that look alike.
_BLANKS = {" ": "␠", "\t": "␉\t"}


def change_of(call: ToolCall) -> list[str]:
    """Return the call's change as diff lines: from its patch, or else from its arguments."""
    return patch_lines(structured(call).get("structuredPatch")) or change_in(call.input)


def counts(lines: Iterable[str]) -> tuple[int, int]:
    """Return the number of added lines, and of removed lines."""
    signs = [line[:1] for line in lines]
    return signs.count("+"), signs.count("-")


def diff_lines(before: str, after: str, *, context: int = _CONTEXT) -> list[str]:
    """Return a unified diff without file names, with ``context`` unchanged lines around each change.

    Every difference is visible. A missing line end at the end of one text is a line, as in ``git diff``. Carriage
    returns and blanks at the end of changed lines are signs; so are tabs if only blanks differ.
    """
    if before == after:
        return []
    # libgit2 does not copy the texts. They must live as long as the patch.
    old, new = (text.encode("utf-8", "surrogatepass") for text in (before, after))
    patch = Patch.create_from(old, new, flag=DiffOption.FORCE_TEXT, context_lines=context)
    lines = patch.data.decode("utf-8", "surrogatepass").split("\n")
    start = next((number for number, line in enumerate(lines) if line.startswith("@@")), len(lines))
    lines = [_hunk_head(line) if line.startswith("@@") else line for line in lines[start:-1]]
    if before and after and not before.endswith("\n") and not after.endswith("\n"):
        lines = [line for line in lines if line[:1] != "\\"]
    if _has_only_crlf(before) and _has_only_crlf(after):
        lines = [line.removesuffix("\r") for line in lines]
    return _with_signs(lines)


def _hunk_head(line: str) -> str:
    """Return ``@@ -1,2 +1,2 @@`` without the line of code that libgit2 writes behind it."""
    return line[: line.index("@@", 2) + 2]


def _has_only_crlf(text: str) -> bool:
    return 0 < text.count("\n") == text.count("\r\n") == text.count("\r")


def _with_signs(lines: list[str]) -> list[str]:
    """Return the lines of a diff with signs for line ends and blanks that look alike."""
    removed, added = (["".join(line[1:].split()) for line in lines if line[:1] == sign] for sign in "-+")
    only_blanks_differ = removed == added
    return [_with_blanks(line.replace("\r", "␍"), all_tabs=only_blanks_differ) for line in lines]


def _with_blanks(line: str, *, all_tabs: bool) -> str:
    if line[:1] not in {"+", "-"}:
        return line
    text = line[1:].rstrip(" \t")
    end = "".join(_BLANKS[blank] for blank in line[1 + len(text) :])
    return line[0] + (text.replace("\t", _BLANKS["\t"]) if all_tabs else text) + end


def patch_lines(patch: object) -> list[str]:
    """Return the lines of Claude Code's ``structuredPatch``, or an empty list for another shape."""
    lines: list[str] = []
    for hunk in patch if isinstance(patch, list) else []:
        if not isinstance(hunk, Mapping) or not isinstance(hunk.get("lines"), list):
            return []
        old, new = (f"{hunk.get(f'{side}Start')},{hunk.get(f'{side}Lines')}" for side in ("old", "new"))
        lines.append(f"@@ -{old} +{new} @@")
        lines += [line for line in hunk["lines"] if isinstance(line, str)]
    return _with_signs(lines)


def change_in(arguments: Mapping[str, Any], *, context: int = _CONTEXT) -> list[str]:
    """Return the change that an editing tool's arguments ask for, as diff lines."""
    edits = arguments.get("edits")
    if isinstance(edits, list):
        return [line for edit in edits if isinstance(edit, Mapping) for line in change_in(edit, context=context)]
    before, after = (arguments.get(name, "") for name in ("old_string", _new_text(arguments)))
    return diff_lines(
        before if isinstance(before, str) else "", after if isinstance(after, str) else "", context=context
    )


def beside_the_change(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that ``change_in`` does not show."""
    edits = arguments.get("edits")
    if isinstance(edits, list):
        left = [beside_the_change(edit) if isinstance(edit, Mapping) else edit for edit in edits]
        return {**arguments, "edits": left}
    told = ("old_string", _new_text(arguments))
    if not change_in(arguments):
        return dict(arguments)
    return {name: value for name, value in arguments.items() if name not in told or not isinstance(value, str)}


def _new_text(arguments: Mapping[str, Any]) -> str:
    """Return the name of the argument with the new text."""
    names = ("new_string", "content", "new_source")
    return next((name for name in names if isinstance(arguments.get(name), str)), names[0])
