"""Looks of the tools for the web: pages and searches."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lulu.text.labels import safe_label
from lulu.transcript import tool_results
from lulu.transcript.tool_results import argument, number, structured
from lulu.transcript.turns import ToolCall
from lulu.ui import formats
from lulu.ui.content import blocks
from lulu.ui.tools.registry import look, show_answer

#: Links of a web search that are drawn.
_MOST_LINKS = 30


def _fetched(call: ToolCall) -> str:
    told = structured(call)
    code, size = number(told, "code"), number(told, "bytes")
    return formats.line(str(code) if code else "", formats.size(size) if size else "")


@look("WebFetch", icon="public", line=lambda call: formats.code(argument(call, "url")), sum_up=_fetched)
def web_fetch(call: ToolCall) -> None:
    """Draw the address, the question about the page, and the result."""
    st.caption(formats.code(argument(call, "url"), 400))
    if argument(call, "prompt"):
        st.caption(safe_label(argument(call, "prompt"), 400))
    show_answer(call)


def _links(call: ToolCall) -> list[tuple[str, str]]:
    """Return title and address of each hit of a web search."""
    found = structured(call).get("results")
    parts = [part.get("content") for part in found if isinstance(part, Mapping)] if isinstance(found, list) else []
    links = [link for part in parts if isinstance(part, list) for link in part if isinstance(link, Mapping)]
    return [(tool_results.first_text(link, "title"), tool_results.first_text(link, "url")) for link in links]


@look(
    "WebSearch",
    icon="travel_explore",
    line=lambda call: formats.code(argument(call, "query")),
    sum_up=lambda call: formats.plural(len(_links(call)), "page") if _links(call) else "",
)
def web_search(call: ToolCall) -> None:
    """Draw the titles and addresses that a search returned."""
    links = _links(call)
    if not links:
        show_answer(call)
        return
    st.markdown(
        "\n".join(f"- {safe_label(title, 200)}  \n  {formats.code(url, 300)}" for title, url in links[:_MOST_LINKS])
    )
    said = structured(call).get("results")
    texts = [part for part in said if isinstance(part, str)] if isinstance(said, list) else []
    if texts:
        blocks.code("\n\n".join(texts), key=f"result_{call.key}")
