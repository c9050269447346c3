"""Blocks of text from tools and files: drawn as code, never as markdown; long ones are cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lulu.text.labels import BLOCK_LIMIT, cut, safe_label
from lulu.text.plain import plain, visible
from lulu.transcript.tool_results import as_json
from lulu.ui import formats

#: Bytes of one element. Streamlit may disconnect slow viewers of larger ones, so the rest is a download.
MOST = 1_000_000
#: Characters of a value that is drawn inside a table.
_SHORT = 160
#: A question with more lines or characters is drawn as a block of this height in pixels.
_QUESTION_LINES, _QUESTION, _HEIGHT = 30, 2_000, 320


def code(
    text: str, *, key: str, language: str | None = None, height: int | None = None, limit: int = BLOCK_LIMIT
) -> None:
    """Draw a block of code. With ``height`` (pixels) it scrolls.

    ``key`` is unique on the page. A diff is drawn with every character, invisible ones included.
    """
    shown = shown_part(text, key=key, limit=limit, form=visible if language == "diff" else plain)
    st.code(shown, language=language, wrap_lines=True, height=height or "content")


def question(text: str) -> None:
    """Draw a question to a person, in bold, line by line. A long one is a block that scrolls."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(text) > _QUESTION or len(lines) > _QUESTION_LINES:
        st.code(plain(text[:MOST]), language=None, wrap_lines=True, height=_HEIGHT)
    else:
        st.markdown("  \n".join(f"**{safe_label(line, _QUESTION)}**" for line in lines))


def scrolling(key: str) -> DeltaGenerator:
    """Return a container for content that may be much higher than the window: it scrolls."""
    return st.container(key=f"scrolling_{key}")


def shown_part(text: str, *, key: str, limit: int = BLOCK_LIMIT, form: Callable[[str], str] = str) -> str:
    """Return ``form`` of up to ``limit`` bytes of a text. For a longer one, draw "Show all" with its size."""
    part = cut(text, limit)
    if part.is_cut and st.checkbox(f"Show all {formats.size(part.size)}", key=f"whole_{key}"):
        part = cut(text, MOST)
        if part.is_cut:
            st.caption(f"The first {formats.size(MOST)} of {formats.size(part.size)}.")
            # Served as an attachment, so that a browser saves it and never opens it here.
            st.download_button(
                "Download",
                data=form(text).encode("utf-8", "backslashreplace"),
                file_name=f"{key}.txt",
                mime="application/octet-stream",
                key=f"download_{key}",
                on_click="ignore",
            )
    return form(part.shown)


def table(values: Mapping[str, object], *, key: str) -> None:
    """Draw names and values as a table. Long and nested values are blocks below it."""
    short = {name: value for name, value in values.items() if _is_short(value)}
    if short:
        rows = [
            f"| {_cell(safe_label(name))} | {_cell(formats.code(_in_one_line(value), 200))} |"
            for name, value in short.items()
        ]
        with st.container(key=f"table_{key}"):
            st.markdown("\n".join(["| Argument | Value |", "| :-- | :-- |", *rows]))
    for place, (name, value) in enumerate(values.items()):
        if name not in short:
            st.caption(safe_label(name))
            code(_written(value), key=f"{key}_{place}", language=None if isinstance(value, str) else "json")


def _is_short(value: object) -> bool:
    text = _in_one_line(value)
    return len(text) <= _SHORT and "\n" not in text


def _written(value: object) -> str:
    return value if isinstance(value, str) else as_json(value)


def _in_one_line(value: object) -> str:
    return value if isinstance(value, str) else " ".join(as_json(value).split())


def _cell(markup: str) -> str:
    # A "|" would end the cell, even in code and even if it is escaped already.
    return markup.replace("\\|", "|").replace("|", "\\|") or "—"
