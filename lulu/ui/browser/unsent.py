"""What somebody has typed and the store does not have yet: the browser keeps it, until the store has it.

A text belongs to the place that it was typed for, a session or the home page, and stands there again after a look
elsewhere, a reload, a crash of the server or of the browser. A prompt stays in its box until it is among those that the
store says it has, or until somebody types the next one there. Nothing of it reaches the server before it is sent.
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

#: Where a prompt that begins a session is typed.
HOME_BOX = "home"
#: The last prompts that the browser is told of: those of the moment in which it waits for one of its own.
_TOLD = 10
#: Before the name of a prompt box's place, as a CSS class.
_PLACE = "box_"
_mount = st.components.v2.component("lulu_unsent", js=asset("unsent.js"))


def keep(lulu: Runtime) -> None:
    """Tell the browser which prompts the store has, so that it lets go of those."""
    sent = lulu.store.commands.last_prompts(_TOLD)
    data = {
        "home": HOME_BOX,
        "last": sent[0].id if sent else 0,
        "sent": [(one.id, HOME_BOX if one.is_first else one.session_id, mark(one.text)) for one in sent],
        "put": state().times_put_back,
        # Each run says it anew: after a restart of the server, too.
        "run": time.monotonic_ns(),
    }
    _mount(key="unsent", data=data, height="content")


@contextmanager
def box(place: str) -> Iterator[None]:
    """Around the prompt box of a session, by its id, or of the home page: another place has another box."""
    with st.container(key=f"{_PLACE}{place}"), prompt_place():
        yield


def mark(text: str) -> int:
    return zlib.crc32(text.encode("utf-16-le", "surrogatepass"))
