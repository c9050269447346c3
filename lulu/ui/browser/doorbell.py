"""The bell: an invisible component that reruns the fragment it stands in when its topic has rung.

All bells of a browser page share one WebSocket (``lulu/server/push/doorbell.py``). While that is away they tick once
a second, so a page keeps moving; while it is there, a page at rest costs nothing.
"""

from __future__ import annotations

import time
from datetime import timedelta

import streamlit as st

from lulu.server.push import doorbell
from lulu.ui.browser.assets import asset

_mount_hub = st.components.v2.component("lulu_hub", js=asset("hub.js"))
_mount = st.components.v2.component("lulu_bell", js=asset("bell.js"), isolate_styles=False)


def hub() -> None:
    """What all bells of a page hang on; drawn once in each run of the whole page, before them."""
    _mount_hub(key="hub", data={"path": doorbell.PATH}, height="content")
    _outlive_the_session()


def bell(topic: str, *, seen: int, key: str) -> None:
    """Rerun the fragment that calls this when ``topic`` has rung past ``seen``.

    ``seen`` is ``Bus.version(topic)``, read in the same run *before* the rows. Call it *last* in the fragment: its
    arrival tells the browser that everything above it has come. ``key`` is unique on the page.
    """
    # ``run`` makes each run's data new: it tells the browser that the run it asked for has come.
    data = {"topic": topic, "seen": seen, "run": time.monotonic_ns()}
    _mount(key=f"bell_{key}", data=data, height="content", on_ring_change=_rerun)


def _rerun() -> None:
    """The trigger itself is what reruns the fragment."""


@st.fragment(run_every=timedelta(days=1))
def _outlive_the_session() -> None:
    """Make Streamlit's client rerun the page when it reconnects, which it does where something runs by itself.

    After a restart, or a minute of sleep, the server has a new session that knows no fragment to ring.
    """
