"""Draws the paragraph that is being written, from the doorbell's socket and without a run of the page.

The run of a fragment draws the finished paragraphs as markdown, and the browser draws the rest below them. The run
reports how far it has drawn, so no text appears twice and none is missing.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from lulu.model.events import Text
from lulu.server.push import live_text
from lulu.store import LiveText
from lulu.text.labels import safe_markdown
from lulu.text.paragraphs import finished
from lulu.text.plain import plain
from lulu.ui.browser.assets import asset
from lulu.ui.styles import LIVE_TEXT

#: Characters at the end of the drawn text that the browser compares, to be sure that it is the same text.
_SEAM = 40
#: An invisible block of code: Streamlit's client loads its highlighter with the first one, which takes long.
_WARM = "warm_code"

_HTML = '<div class="lulu-flow"></div>'

_mount = st.components.v2.component("lulu_flow", html=_HTML, js=asset("live_text.js"), isolate_styles=False)


def show(session_id: str, written: LiveText | None, *, number: int, upto: int, kind: str = live_text.OWN) -> None:
    """Draw the finished paragraphs of the live text, and the place for the rest.

    ``number`` is ``Bus.version(text_topic(session_id))``, read before ``written``. Events up to the id ``upto`` are
    drawn already. ``kind`` is ``live_text.SHARED`` on a guest's page.
    """
    with st.container(key=LIVE_TEXT):
        if written is not None and written.kind != Text.type:
            st.caption("Thinking…")
            written = None
        shown = plain(written.text) if written else ""
        end = finished(shown)
        # Also for an empty text: the browser draws the rest with the same styles.
        st.markdown(safe_markdown(shown[:end]))
        with st.container(key=_WARM):
            st.code(" ", language=None)
        data: dict[str, Any] = {
            "session": session_id,
            "topic": f"{kind}:{session_id}",
            "number": number,
            "upto": upto,
            "shown": live_text.units(shown[:end]),
            "latest": live_text.LATEST,
            "seam": shown[:end][-_SEAM:],
            "writing": live_text.part(shown, end) if shown else None,
        }
        _mount(key=f"flow_{session_id}", data=data, height="content")
