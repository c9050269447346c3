"""Draws the items of a checklist, each with a mark for its status."""

from __future__ import annotations

import streamlit as st

from lulu.text.labels import safe_label
from lulu.transcript.checklist import Checklist, Item
from lulu.ui import formats

#: Items that are drawn; an agent's list is seldom longer than ten.
_MOST = 500
#: Characters of an item that are shown.
_LIMIT = 300

_MARKS = {
    "completed": ":green[:material/check_circle:]",
    "in_progress": ":yellow[:material/arrow_circle_right:]",
}
_OPEN_MARK = ":gray[:material/radio_button_unchecked:]"


def progress(checklist: Checklist) -> str:
    """Return a checklist's progress, as ``2 of 5 done · Rounding the tax once``."""
    now = safe_label(checklist.now)
    return formats.line(f"{checklist.done} of {len(checklist.items)} done", now)


def show_items(checklist: Checklist) -> None:
    """Draw the items."""
    lines = [_line(item) for item in checklist.items[:_MOST]]
    if len(checklist.items) > _MOST:
        lines.append(f":gray[and {len(checklist.items) - _MOST} more]")
    st.markdown("  \n".join(lines))


def _line(item: Item) -> str:
    text = safe_label(item.text, _LIMIT) or "—"
    words = f":gray[{text}]" if item.status == "completed" else text
    return f"{_MARKS.get(item.status, _OPEN_MARK)} {f'**{words}**' if item.status == 'in_progress' else words}"
