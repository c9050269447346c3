"""Keeps unsent text in the browser until the store has it.

A text belongs to the session or the home page that it was typed for. It is there again after a look elsewhere, a
reload, or a crash of the server or the browser. A prompt stays in its box until the store lists it, or until the person
types the next one there. No text reaches the server before it is sent.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lulu.runtime import Runtime
from lulu.ui.browser.assets import asset
from lulu.ui.state import prompt_place, state

#: The box for a prompt that starts a session.
HOME_BOX = "home"
#: The last prompts that the browser receives, to find its own among them.
_TOLD = 10
#: Prefix of the CSS class of a prompt box, before its session.
_PLACE = "box_"
_mount = st.components.v2.component("lulu_unsent", js=asset("unsent.js"))


def keep(lulu: Runtime) -> None:
    """Send the last stored prompts to the browser. It then removes its copies of them."""
    sent = lulu.store.commands.last_prompts(_TOLD)
    data = {
        "home": HOME_BOX,
        "last": sent[0].id if sent else 0,
        "sent": [(one.id, HOME_BOX if one.is_first else one.session_id, mark(one.text)) for one in sent],
        "put": state().times_put_back,
        # It differs in each run, so that the browser gets the message again, also after a restart of the server.
        "run": time.monotonic_ns(),
    }
    _mount(key="unsent", data=data, height="content")


@contextmanager
def box(place: str) -> Iterator[None]:
    """Draw the prompt box in a container for this session or the home page; each has its own box."""
    with st.container(key=f"{_PLACE}{place}"), prompt_place():
        yield


def mark(text: str) -> int:
    return zlib.crc32(text.encode("utf-16-le", "surrogatepass"))
