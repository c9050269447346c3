"""Pictures in the transcript, from bytes that an event contains. No address is ever loaded."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import streamlit as st

from lulu.model.validation import IMAGE_TYPES
from lulu.text.labels import safe_label
from lulu.transcript.tool_results import answer_blocks, structured
from lulu.transcript.turns import ToolCall
from lulu.ui import formats

#: Bytes of a picture that is drawn. A larger one would be sent again with every view of the page.
MOST = 5_000_000
#: Pictures of one answer that are drawn.
_MOST_PICTURES = 8
#: Width of a picture in the transcript, in pixels.
WIDTH = 320


def show_answered(call: ToolCall) -> None:
    """Draw the pictures in a tool's answer."""
    found = _sources(call)
    for source in found[:_MOST_PICTURES]:
        _show_source(source)
    if len(found) > _MOST_PICTURES:
        st.caption(f"And {formats.plural(len(found) - _MOST_PICTURES, 'more picture')}.")


def show_block(block: object) -> None:
    """Draw the picture in a content block; no other block is drawn."""
    source = _source(block)
    if source is not None:
        _show_source(source)


def has_any(call: ToolCall) -> bool:
    """Whether a tool answered with a picture."""
    return bool(_sources(call))


def _sources(call: ToolCall) -> list[Mapping[str, Any]]:
    found = [source for block in answer_blocks(call) if (source := _source(block)) is not None]
    if not found and structured(call).get("type") == "image" and isinstance(structured(call).get("file"), Mapping):
        file = structured(call)["file"]
        found = [{"media_type": file.get("type"), "data": file.get("base64")}]
    return found


def _source(block: object) -> Mapping[str, Any] | None:
    """Return the source of an image block (the API's form or MCP's); None for any other block."""
    if not isinstance(block, Mapping) or block.get("type") != "image":
        return None
    source = block.get("source")
    return source if isinstance(source, Mapping) else {"media_type": block.get("mimeType"), "data": block.get("data")}


def _show_source(source: Mapping[str, Any]) -> None:
    media_type, data = source.get("media_type"), source.get("data")
    if not isinstance(data, str):
        st.caption("A picture at an address: it is not loaded.")
    elif media_type not in IMAGE_TYPES:
        st.caption(f"A picture of a type that is not shown: {formats.code(str(media_type))}")
    elif len(data) * 3 // 4 > MOST:
        st.caption(f"A picture of {formats.size(len(data) * 3 // 4)}: too large to be shown.")
    else:
        _show_data(data)


def _show_data(data: str) -> None:
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    show(content, "Picture")


def show(content: bytes, name: str, *, label: str = "") -> None:
    """Draw one picture with ``label`` below it, or say that the bytes are no image."""
    try:
        st.image(content, width=WIDTH, alt=name)
    except Exception:
        # Any bytes may call themselves an image, and the decoder raises errors of many kinds.
        st.caption(f"{label or safe_label(name)} :orange[cannot be shown: it is not an image]")
        return
    if label:
        st.caption(label)
