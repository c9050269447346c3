"""Files that are sent with a prompt, and their drawing: images as images, text as code."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from lulu import runtime
from lulu.model.validation import IMAGE_TYPES, MAX_ATTACHMENT_BYTES, Attachment, typed
from lulu.text.labels import safe_label
from lulu.ui import formats
from lulu.ui.content import blocks, images
from lulu.ui.state import picked

#: The largest file in megabytes that the browser may send.
MAX_MEGABYTES = MAX_ATTACHMENT_BYTES // 1_000_000


def sent(key: str) -> tuple[str, list[Attachment]]:
    """Return the text and the files that the chat input with this key has just sent."""
    value = picked(key)
    if isinstance(value, str):
        return value, []
    files = getattr(value, "files", None) or []
    attachments = typed(
        [
            Attachment(name=file.name, media_type=file.type or "application/octet-stream", content=file.getvalue())
            for file in files
        ]
    )
    return str(getattr(value, "text", "") or ""), attachments


def show(ids: Iterable[object], *, key: str) -> None:
    """Draw the files of a prompt; ``ids`` are from its event, ``key`` is unique on the page."""
    wanted = [one for one in ids if isinstance(one, int)]
    for place, attachment in enumerate(runtime.current().store.commands.attachments(wanted)):
        label = f"{safe_label(attachment.name)} :gray[{formats.size(len(attachment.content))}]"
        if attachment.media_type in IMAGE_TYPES:
            images.show(attachment.content, attachment.name, label=label)
        else:
            opened = st.expander(
                label, key=f"file_{key}_{place}", icon=":material/attach_file:", type="compact", on_change="rerun"
            )
            if opened.open:
                with opened:
                    blocks.code(attachment.content.decode("utf-8", "replace"), key=f"file_text_{key}_{place}")
