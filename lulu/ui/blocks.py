"""Blocks of text from tools and files: always code, never markdown; cut where they are long, and told how much."""

from __future__ import annotations

import streamlit as st

from lulu.ui import wording
from lulu.ui.text import BLOCK_LIMIT, cut, plain

#: Bytes that one element may carry: beyond that Streamlit may drop a slow viewer; the rest is a download.
MOST = 1_000_000


def code(
    text: str, *, key: str, language: str | None = None, height: int | None = None, limit: int = BLOCK_LIMIT
) -> None:
    """A block of code; ``key`` tells its "Show all" from others on the page, ``height`` in pixels makes it scroll."""
    shown = shown_part(plain(text), key=key, limit=limit)
    st.code(shown, language=language, wrap_lines=True, height=height or "content")


def shown_part(text: str, *, key: str, limit: int = BLOCK_LIMIT) -> str:
    """What is shown of a text: up to ``limit`` bytes, with the true size and the offer to show all."""
    part = cut(text, limit)
    if part.is_cut and st.checkbox(f"Show all {wording.size(part.size)}", key=f"whole_{key}"):
        part = cut(text, MOST)
        if part.is_cut:
            st.caption(f"The first {wording.size(MOST)} of {wording.size(part.size)}.")
            # Served as an attachment, so that a browser saves it and never opens it here.
            st.download_button(
                "Download",
                data=text.encode("utf-8", "backslashreplace"),
                file_name=f"{key}.txt",
                mime="application/octet-stream",
                key=f"download_{key}",
                on_click="ignore",
            )
    return part.shown
