"""Prepare text from agents, tools and people for the page, so that only plain markdown has an effect.

Tool data is never markdown: it goes through ``plain`` into ``st.code`` or ``st.text``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lulu.text.markdown import literal, rewrite
from lulu.text.plain import plain

BadgeColor = Literal["blue", "gray", "green", "orange", "red", "yellow"]

#: The most characters of a title or label on a page.
LABEL_LIMIT = 80
#: The most bytes of one block on a page.
BLOCK_LIMIT = 20_000


@lru_cache(maxsize=1024)
def safe_markdown(text: str, *, line_breaks: bool = False) -> str:
    """Return markdown for ``st.markdown`` that keeps its formatting and loads nothing.

    Images, HTML, Streamlit's directives, and links to anything but http, https and mailto appear as typed. With
    ``line_breaks``, each line end of the text is one on the page.
    """
    return rewrite(plain(text), line_breaks=line_breaks)


def safe_label(text: str, limit: int = LABEL_LIMIT) -> str:
    """Return one line for a label, title or badge. All markdown in it appears as typed."""
    return literal(one_line(text, limit))


def safe_badge(text: str, color: BadgeColor) -> str:
    """Return a badge for ``st.markdown``.

    ``st.badge`` is not used: it escapes brackets again, and thereby undoes this escaping.
    """
    return f":{color}-badge[{safe_label(text)}]"


def one_line(text: str, limit: int = LABEL_LIMIT) -> str:
    """Return one line of at most ``limit`` characters, for text without markdown (a page title)."""
    looked_at = text[: limit * 20]  # enough for one line, even of very long text
    words = " ".join(plain(looked_at).split())
    if len(words) <= limit and len(looked_at) == len(text):
        return words
    return words[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The visible beginning of a block, and the size of the whole."""

    #: The beginning; whole lines if possible.
    shown: str
    #: Size of the whole text in UTF-8, in bytes.
    size: int
    #: Whether ``shown`` is shorter than the text.
    is_cut: bool


def cut(text: str, limit: int = BLOCK_LIMIT) -> Cut:
    """Return the first ``limit`` bytes of a text, and the size of the whole."""
    encoded = text.encode("utf-8", errors="surrogatepass")
    if len(encoded) <= limit:
        return Cut(shown=text, size=len(encoded), is_cut=False)
    shown = encoded[:limit].decode("utf-8", errors="ignore")
    last_line = shown.rfind("\n")
    if last_line > len(shown) // 2:
        shown = shown[: last_line + 1]
    return Cut(shown=shown, size=len(encoded), is_cut=True)
