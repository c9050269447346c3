"""The page of a guest and the owner's preview of it: one session, live, read-only and redacted.

It draws only what ``lulu.access.guest_view`` returns. Its only controls are expanders and "Load earlier".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import streamlit as st

from lulu.access.guest_view import GuestRows, guest_rows, guest_session, guest_text
from lulu.errors import SessionNotFound
from lulu.model.events import StoredEvent
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.server.push import live_text
from lulu.store import ShareOptions, row_topic, session_topic, text_topic
from lulu.text.labels import one_line, safe_label
from lulu.transcript import turns as transcript
from lulu.ui import alerts, formats, identity
from lulu.ui.browser import scroll
from lulu.ui.browser.doorbell import bell
from lulu.ui.session import activity_line, header
from lulu.ui.session.feed import (
    KEEP_OPEN,
    divide,
    earlier_calls,
    has_settled,
    offer_earlier,
    unfinished,
    window,
    writing,
)
from lulu.ui.styles import SESSION_HEADER, TRANSCRIPT
from lulu.ui.transcript import event_views

#: The page for a link that has ended, and for every address that is not shared. It repeats no part of the address.
ENDED = "Ask the person who sent it for a new one."


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One part of the settled events: those after ``begin`` and up to ``end``."""

    session_id: SessionId
    #: Id of the first event on the page.
    first: int
    begin: int
    end: int
    options: ShareOptions
    offers_earlier: bool


def show_ended() -> None:
    """Draw the page for every address that is not shared, or no longer."""
    st.title("This link has ended", anchor=False)
    st.markdown(ENDED)


@alerts.told
def show(lulu: Runtime, session_id: SessionId, options: ShareOptions) -> None:
    """Draw the page."""
    try:
        session = guest_session(lulu.store.get_session(session_id))
    except SessionNotFound:
        show_ended()
        return
    st.set_page_config(page_title=one_line(session.name))
    _header(lulu, session_id)
    rows, has_earlier = window(lulu, session_id)
    found = guest_rows(rows, options)
    first = found.rows[0].id if found.rows else 0
    settled = transcript.settled_until(found.rows, live=session.is_live, keep=KEEP_OPEN)
    with st.container(key=TRANSCRIPT):
        ends = [first - 1, *divide(session_id, found.rows, settled)]
        for number, (begin, end) in enumerate(pairwise(ends)):
            part = _Part(
                session_id=session_id,
                first=first,
                begin=begin,
                end=end,
                options=options,
                offers_earlier=has_earlier and number == 0,
            )
            _settled_part(lulu, part, [rows])
        _open_turn(lulu, session_id, options, settled)
    with st.bottom:
        activity_line.show_line(session_id)


def _is_still_shared(session_id: SessionId) -> bool:
    """Whether the link is still valid; if not, say so. Called in every run of every fragment.

    A fragment keeps its arguments, and the link may have ended since they were made.
    """
    if identity.actor().may_watch(session_id):
        return True
    show_ended()
    return False


@st.fragment
@alerts.told
def _header(lulu: Runtime, session_id: SessionId) -> None:
    topic = row_topic(session_id)
    bell(topic, seen=lulu.store.bus.version(topic), key=f"guest_header_{session_id}")
    if not _is_still_shared(session_id):
        return
    session = guest_session(lulu.store.get_session(session_id))
    with st.container(key=SESSION_HEADER, gap=None):
        st.markdown(f"# {safe_label(header.full_name(session), 120)}", anchors=False)
        st.caption(header.details(session, "shared with you, read-only"))


@st.fragment
@alerts.told
def _settled_part(lulu: Runtime, part: _Part, read: list[list[StoredEvent]]) -> None:
    """Draw one part of the settled events; ``read`` holds the page's rows for the first run only."""
    if not _is_still_shared(part.session_id):
        return
    if part.offers_earlier:
        offer_earlier(lulu, part.session_id, part.first)
    rows = (
        read.pop()
        if read
        else lulu.store.get_session_events(part.session_id, after=part.first - 1, before=part.end + 1)
    )
    # From the page's first event, also for a later part: a secret in it may have begun in an earlier one.
    read_rows = [row for row in rows if part.first <= row.id <= part.end]
    found = guest_rows(read_rows, part.options, after=part.begin)
    with st.container():
        show_hidden(found)
    with st.container():
        event_views.show_turns(_turns(lulu, found, part.options))


@st.fragment
@alerts.told
def _open_turn(lulu: Runtime, session_id: SessionId, options: ShareOptions, settled: int) -> None:
    # First, as in a settled part, which later takes this place.
    hidden, drawn = st.container(), st.container()
    topic = session_topic(session_id)
    bell(topic, seen=lulu.store.bus.version(topic), key=f"guest_{session_id}")
    if not _is_still_shared(session_id):
        return
    number = lulu.store.bus.version(text_topic(session_id))
    stored = lulu.store.live_text(session_id)
    session = guest_session(lulu.store.get_session(session_id))
    rows = lulu.store.get_session_events(session_id, after=settled)
    written = guest_text(unfinished(stored, rows), options)
    found = guest_rows(rows, options)
    turns = _turns(lulu, found, options)
    if has_settled(found.rows, live=session.is_live):
        st.rerun()
    scroll.follow(session_id, found.rows, written)
    # The activity comes from the redacted rows only. A guest does not see open requests.
    activity_line.tell(lulu, session, found.rows, written, [], waiting="Waits for the owner")
    with hidden:
        show_hidden(found)
    upto = rows[-1].id if rows else settled
    draw = writing(session, turns, written, number=number, upto=upto, kind=live_text.SHARED)
    with drawn:
        event_views.show_turns(turns, live=session.is_live, writing=draw)


def _turns(lulu: Runtime, found: GuestRows, options: ShareOptions) -> list[transcript.Turn]:
    """Return the turns of shared rows. The earlier calls that they belong to are redacted, too."""
    return transcript.turns(found.rows, earlier=guest_rows(earlier_calls(lulu, found.rows), options).rows)


def show_hidden(found: GuestRows) -> None:
    """Draw how much is hidden, by kind."""
    if found.hidden.total():
        st.caption(f":material/visibility_off: Hidden here: {formats.hidden_kinds(found.hidden)}")
