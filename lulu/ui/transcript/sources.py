"""The sources of an answer: links with their host and the words that were cited."""

from __future__ import annotations

import re

import streamlit as st

from lulu.model.events import Text
from lulu.text.labels import one_line, safe_label, safe_markdown
from lulu.transcript import citations
from lulu.transcript.citations import Source
from lulu.ui import formats

#: Sources of one text that are drawn.
_MOST = 20
#: Characters of a title, and of cited words, that are drawn.
_TITLE = 120
_QUOTE = 200
_MARKUP = re.compile(r"([!-/:-@\[-`{-~])")


def show(text: Text) -> None:
    """Draw the sources of a text, if it has any."""
    found = citations.sources(text)
    if not found:
        return
    lines = [f"{number}. {_line(source)}" for number, source in enumerate(found[:_MOST], 1)]
    if len(found) > _MOST:
        lines.append(f"\n{safe_label(f'And {len(found) - _MOST} more.')}")
    st.caption("\n".join(["Sources", "", *lines]))


def _line(source: Source) -> str:
    title = one_line(source.title, _TITLE) or "No title"
    escaped = _MARKUP.sub(r"\\\1", title)
    link = safe_markdown(f"[{escaped}]({source.url})") if source.url else safe_label(title, _TITLE)
    quote = f"“{safe_label(source.quote, _QUOTE)}”" if source.quote.strip() else ""
    return formats.line(link, safe_label(source.host), quote)
