"""All text from agents, tools and people on its way to the page. Nothing in it is obeyed but plain markdown.

Tool data is never markdown: it goes through ``plain`` into ``st.code`` or ``st.text``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lulu.text.markdown import literal, rewrite
from lulu.text.plain import plain

BadgeColor = Literal["blue", "gray", "green", "orange", "red", "yellow"]

#: Characters of a title or label that are shown.
LABEL_LIMIT = 80
#: Bytes of one block that are shown at once.
BLOCK_LIMIT = 20_000


@lru_cache(maxsize=1024)
def safe_markdown(text: str, *, line_breaks: bool = False) -> str:
    """Markdown for ``st.markdown`` that keeps its formatting and loads nothing.

    Images, HTML, links to anything but http, https and mailto, and Streamlit's own directives are shown as typed. With
    ``line_breaks`` a line stays a line, as people expect of what they typed.
    """
    return rewrite(plain(text), line_breaks=line_breaks)


def safe_label(text: str, limit: int = LABEL_LIMIT) -> str:
    """One line for a label, a title or a badge, where Streamlit takes markdown: everything is shown as typed."""
    return literal(one_line(text, limit))


def safe_badge(text: str, color: BadgeColor) -> str:
    """A badge for ``st.markdown``. (``st.badge`` escapes brackets once more, and so opens what was escaped.)"""
    return f":{color}-badge[{safe_label(text)}]"


def one_line(text: str, limit: int = LABEL_LIMIT) -> str:
    """One line of at most ``limit`` characters, for places that take no markdown (a placeholder, a page title)."""
    looked_at = text[: limit * 20]  # enough, whatever was pasted into a title
    words = " ".join(plain(looked_at).split())
    if len(words) <= limit and len(looked_at) == len(text):
        return words
    return words[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What is shown of a block, and how big it is."""

    #: The beginning, whole lines where there are any.
    shown: str
    #: Bytes of the whole text in UTF-8.
    size: int
    #: Whether anything is missing from ``shown``.
    is_cut: bool


def cut(text: str, limit: int = BLOCK_LIMIT) -> Cut:
    """The first ``limit`` bytes of a big block, and the true size of the whole."""
    encoded = text.encode("utf-8", errors="surrogatepass")
    if len(encoded) <= limit:
        return Cut(shown=text, size=len(encoded), is_cut=False)
    shown = encoded[:limit].decode("utf-8", errors="ignore")
    last_line = shown.rfind("\n")
    if last_line > len(shown) // 2:
        shown = shown[: last_line + 1]
    return Cut(shown=shown, size=len(encoded), is_cut=True)
