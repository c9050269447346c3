"""The paragraph that is being written: straight from the doorbell's socket, with no run of the page.

What is finished of a text is drawn as markdown by the run of the fragment that shows it; below it stands what has come
since. A run says how far it has drawn, and the browser shows the rest: nothing twice, nothing beside a gap.
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

#: How much of what is drawn the browser compares, to be sure that it goes on with the same text (characters).
_SEAM = 40
#: A block of code that nobody sees: Streamlit's client loads its highlighter with the first one, which takes long.
_WARM = "warm_code"

_HTML = '<div class="lulu-flow"></div>'

_mount = st.components.v2.component("lulu_flow", html=_HTML, js=asset("live_text.js"), isolate_styles=False)


def show(session_id: str, written: LiveText | None, *, number: int, upto: int, kind: str = live_text.OWN) -> None:
    """Draw what is finished of the text that is being written, and the place where the rest comes.

    ``number`` is ``Bus.version(text_topic(session_id))``, read before ``written``; events to the id ``upto`` are drawn
    already. ``kind`` is ``flowing.SHARED`` on a guest's page.
    """
    with st.container(key=LIVE_TEXT):
        if written is not None and written.kind != Text.type:
            st.caption("Thinking…")
            written = None
        shown = plain(written.text) if written else ""
        end = finished(shown)
        # Also where that is nothing: the browser draws the rest as this is drawn.
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
