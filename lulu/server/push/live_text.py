"""The words of a session as they come: what the doorbell carries beside its numbers, so that nobody waits for a run.

A page shows them as plain text below what it has drawn, until its next run (``lulu/ui/browser/live_text.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lulu.access.guest_view import guest_text, this_process
from lulu.model.events import Event, EventId, Text, Thinking
from lulu.store import LiveText, ShareOptions, Store
from lulu.text.paragraphs import finished
from lulu.text.plain import plain

#: Topics of this kind carry the words as stored, for owners; of the other, as a guest may read them.
OWN, SHARED = "text", "shared"
#: Events that are told: a page that has not drawn so many waits for its run.
LATEST = 4
#: Characters before the last finished paragraph that are told too: a page may not have drawn them yet.
_BACK = 2_000


def told(store: Store, kind: str, session_id: str) -> dict[str, Any]:
    """What one session says, in JSON: ``{"latest": […], "writing": {…} or null}``.

    Each of ``latest`` is an event, ``{"id": 7}`` with the part that is told where it is a text of the transcript.
    A part is ``{"from": 0, "text": "…", "finished": 12}``: the text from that character on, and how far the whole is
    finished paragraphs. Of a long text only the end is told: a page that has not drawn what stands before ``from``
    shows nothing of it. Characters are counted as browsers count them, in UTF-16.
    """
    written = store.live_text(session_id)
    latest = store.latest_texts(session_id, LATEST)
    if written is not None and is_finished(written, (text for _, text in latest if text)):
        written = None
    hide: Callable[[str], str] = str
    if kind == SHARED:
        written, hide = guest_text(written, ShareOptions(thinking=False)), this_process().text
    return {
        "latest": [_event(event_id, text, hide) for event_id, text in latest],
        "writing": part(written.text) if written is not None and written.kind == Text.type else None,
    }


def is_finished(written: LiveText, events: Iterable[Event]) -> bool:
    """Whether the block that was being written is one of these already."""
    return any(
        event.type == written.kind and event.message_id == written.message_id and event.content.startswith(written.text)
        for event in events
        if isinstance(event, Text | Thinking)
    )


def part(text: str, start: int | None = None) -> dict[str, Any]:
    """The part of a text that is told: from ``start`` on, else from a little before its last finished paragraph."""
    shown = plain(text)
    end = finished(shown)
    start = max(0, end - _BACK) if start is None else start
    return {"from": units(shown[:start]), "text": shown[start:], "finished": units(shown[:end])}


def units(text: str) -> int:
    """How long a browser finds the text: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _event(event_id: EventId, text: Text | None, hide: Callable[[str], str]) -> dict[str, Any]:
    return {"id": event_id} | (part(hide(text.content)) if text else {})
