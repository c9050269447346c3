"""The whole input of a request, drawn as code or as a diff, and its text for the editor.

It is never drawn as markdown. A long part is cut, with the number of hidden characters. It must be opened before the
request can be approved.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlsplit

import streamlit as st

from lulu.errors import InputError
from lulu.model.claude_tools import EDITING
from lulu.store import Approval
from lulu.text.plain import UNUSUAL, hidden_characters, visible
from lulu.transcript import diffs, tool_results
from lulu.ui import formats
from lulu.ui.content import blocks

#: Characters of one part that are drawn before it is opened.
FIRST = 4_000
#: A longer part scrolls inside a block of this height in pixels, so that the buttons stay near.
_HEIGHT = 320
_LINES_BEFORE_SCROLL = 14


@dataclass(frozen=True, kw_only=True)
class Part:
    """One block of an input."""

    name: str
    text: str
    language: str


def parts(approval: Approval) -> list[Part]:
    """Return the whole input: as its tool is drawn, and the remaining arguments as JSON."""
    rest = arguments = approval.tool_input
    found: list[Part] = []
    command = arguments.get("command")
    if approval.tool_name == "Bash" and isinstance(command, str):
        found.append(Part(name="command", text=command, language="bash"))
        rest = {name: value for name, value in arguments.items() if name != "command"}
    elif approval.tool_name in EDITING:
        # Every line that the tool would replace or write: the person approves all of it.
        rest = diffs.beside_the_change(arguments)
        if change := diffs.change_in(arguments, context=10**9):
            found.append(Part(name="change", text="\n".join(change), language="diff"))
    if rest or not arguments:
        found.append(Part(name="asked", text=tool_results.as_json(rest), language="json"))
    return found


def name_of(value: object) -> str:
    """Shorten a path to its last two names, and an address to its host, for a heading.

    Empty for any other value. The input below the heading has the whole of it.
    """
    if not isinstance(value, str):
        return ""
    if "://" in value:
        return _host(value)
    return "/".join([part for part in PurePath(value).parts if part != "/"][-2:])


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def show(approval: Approval) -> bool:
    """Draw the input. Returns whether all of it is visible."""
    are_read = [_show_part(part, approval.id) for part in parts(approval)]
    if hidden := sum(hidden_characters(text) for text in _texts(approval.tool_input)):
        st.caption(
            f":orange[:material/warning: {formats.plural(hidden, 'character')} here cannot be seen, and an agent reads "
            f"{'it' if hidden == 1 else 'them'}. Written above as ⟦…⟧.]"
        )
    return all(are_read)


def _texts(value: object) -> Iterator[str]:
    """Yield every text of a JSON value, names of fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in _texts(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in _texts(part))


def _show_part(part: Part, approval_id: str) -> bool:
    text = visible(part.text)
    key = f"{part.name}_{approval_id}"
    hidden = len(text) - FIRST
    height = _HEIGHT if text.count("\n") > _LINES_BEFORE_SCROLL else None
    if hidden <= 0:
        blocks.code(text, key=key, language=part.language, height=height, limit=blocks.MOST)
        return True
    box = st.container()
    is_open = st.checkbox(f"Show {hidden:,} more characters", key=f"rest_{key}")
    with box:
        shown = text if is_open else text[:FIRST] + "…"
        blocks.code(shown, key=key, language=part.language, height=_HEIGHT, limit=blocks.MOST)
    return is_open


def as_typed(tool_input: dict[str, object]) -> str:
    """Return the input as indented JSON for the editor. ``parse`` returns the same values from it."""
    text = json.dumps(tool_input, indent=2, ensure_ascii=False)
    # Characters that a browser obeys or hides are escaped, and lone surrogates, which no page can contain.
    return UNUSUAL.sub(lambda found: json.dumps(found[0])[1:-1], text)


def parse(text: str) -> dict[str, object]:
    """Parse the input that a person typed. Raises ``InputError`` with the position if it is not JSON."""
    problem = ""
    found: object = None
    try:
        found = json.loads(text)
    except json.JSONDecodeError as exc:
        problem = f"The input is not JSON: {exc.msg} in line {exc.lineno}, column {exc.colno}."
    except (ValueError, RecursionError):
        problem = "The input is not JSON that can be read."
    if not problem and not isinstance(found, dict):
        problem = "The input must be a JSON object, in braces."
    if problem or not isinstance(found, dict):
        raise InputError(problem, safe="Your answer was not used.", next_step="Correct it, or close the editor.")
    return found
