"""The live text of a session for the doorbell, so that pages can show it without a run.

A page shows it as plain text below the drawn events, until its next run (``lulu/ui/browser/live_text.py``).
"""

from __future__ import annotations

from typing import Any

from lulu.access.guest_view import GuestEvents
from lulu.access.source import OwnerEvents, Source
from lulu.model.events import EventId, Text
from lulu.model.sessions import SessionId
from lulu.store import ShareOptions, Store
from lulu.text.paragraphs import finished
from lulu.text.plain import plain

#: Kinds of topics: text as stored, for owners; and redacted text, for guests.
OWN, SHARED = "text", "shared"
#: The number of last events to send. A page that lacks more waits for its run.
LATEST = 4
#: Characters before the last finished paragraph that are also sent, because a page may not have drawn them.
_BACK = 2_000


def told(store: Store, kind: str, session_id: str) -> dict[str, Any]:
    """Return the JSON for a live-text topic: ``{"latest": […], "writing": {…} or null}``.

    Each of ``latest`` is an event, ``{"id": 7}``, with a part if it is a text of the transcript. A part is ``{"from":
    0, "text": "…", "finished": 12}``. ``from``: the offset of ``text`` in the block. ``finished``: the offset up to
    which paragraphs are complete. Of a long block, only the end is sent. A page that has not drawn the text before
    ``from`` does not show the part. Offsets are in UTF-16 units, as in browsers.
    """
    words = _source(store, kind, SessionId(session_id)).words(LATEST)
    written = words.written
    return {
        "latest": [_event(event_id, text) for event_id, text in words.latest],
        "writing": part(written.text) if written is not None and written.kind == Text.type else None,
    }


def _source(store: Store, kind: str, session_id: SessionId) -> Source:
    if kind == OWN:
        return OwnerEvents(store, session_id)
    return GuestEvents(store, session_id, ShareOptions(thinking=False))


def part(text: str, start: int | None = None) -> dict[str, Any]:
    """Return the part of a text to send: from ``start``, or from before its last finished paragraph."""
    shown = plain(text)
    end = finished(shown)
    start = max(0, end - _BACK) if start is None else start
    return {"from": units(shown[:start]), "text": shown[start:], "finished": units(shown[:end])}


def units(text: str) -> int:
    """Return the length of the text in UTF-16 units, as browsers count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _event(event_id: EventId, text: Text | None) -> dict[str, Any]:
    return {"id": event_id} | (part(text.content) if text else {})
