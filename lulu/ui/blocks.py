"""Blocks of text from tools and files: always code, never markdown; cut where they are long, and told how much."""

from __future__ import annotations

import streamlit as st

from lulu.ui import wording
from lulu.ui.text import cut, plain

#: Characters shown before "Show all".
SHOWN = 20_000
#: Characters that one element may carry: beyond that Streamlit may drop a slow viewer; the rest is a download.
MOST = 1_000_000


def code(text: str, *, key: str, language: str | None = None, height: int | None = None) -> None:
    """A block of code; ``key`` tells its "Show all" from others on the page."""
    shown, omitted = cut(plain(text), SHOWN)
    if omitted and st.checkbox(f"Show all {wording.size(len(text))}", key=f"whole_{key}"):
        shown, omitted = cut(plain(text), MOST)
    _block(shown, language, height)
    if omitted:
        st.caption(f"{wording.plural(omitted, 'more character')}, {wording.size(len(text))} in all.")
    if len(text) > MOST:
        # Served as an attachment, so that a browser saves it and never opens it here.
        st.download_button(
            "Download",
            data=text.encode("utf-8", "backslashreplace"),
            file_name=f"{key}.txt",
            mime="application/octet-stream",
            key=f"download_{key}",
            on_click="ignore",
        )


def _block(text: str, language: str | None, height: int | None) -> None:
    st.code(text, language=language, wrap_lines=language is None, height=height or "content")
