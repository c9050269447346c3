"""The bell: an invisible component that reruns its fragment when its topic has changed.

All bells of a page share one WebSocket (``lulu/server/push/doorbell.py``). While it is closed they tick once a second,
so the page stays current. While it is open, a page without changes costs no run.
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
    """Draw the component that all bells of a page use; once in each run of the whole page, before them."""
    _mount_hub(key="hub", data={"path": doorbell.PATH}, height="content")
    _outlive_the_session()


def bell(topic: str, *, seen: int, key: str) -> None:
    """Rerun the calling fragment when the version of ``topic`` is above ``seen``.

    ``seen`` is ``Bus.version(topic)``, read in the same run *before* the rows. Call it *last* in the fragment: its
    arrival tells the browser that everything above it has arrived. ``key`` is unique on the page.
    """
    # ``run`` differs in each run, so the browser knows that the run it requested has arrived.
    data = {"topic": topic, "seen": seen, "run": time.monotonic_ns()}
    _mount(key=f"bell_{key}", data=data, height="content", on_ring_change=_rerun)


def _rerun() -> None:
    """Do nothing: the trigger itself reruns the fragment."""


@st.fragment(run_every=timedelta(days=1))
def _outlive_the_session() -> None:
    """Make Streamlit's client rerun the page when it reconnects.

    The client does so if a fragment runs on a timer. After a restart, or a minute of sleep, the server has a new
    session without the fragments of the old one.
    """
