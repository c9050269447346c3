"""What a guest sees: one session, live and read-only, redacted. The owner's preview is the same page.

It draws only what ``lulu.access.sharing`` hands out, and offers nothing that a guest could press but folds.
"""

from __future__ import annotations

from collections import Counter

import streamlit as st

from lulu import transcript
from lulu.access.sharing import GuestRows, guest_rows, guest_session, guest_text
from lulu.errors import SessionNotFound
from lulu.runtime import Runtime
from lulu.sessions import SessionId
from lulu.store import ShareOptions, row_topic, session_topic, text_topic
from lulu.transcript import Turn
from lulu.ui import header, identity, notices, now, reading, render, together
from lulu.ui.bell import bell
from lulu.ui.feed import KEEP_OPEN, Open, has_settled, offer_earlier, read_open, window, writing
from lulu.ui.look import SESSION_HEADER, TRANSCRIPT
from lulu.ui.text import one_line, safe_label
from lulu.web import flowing

#: The page for a link that counts no longer, and for every address that was not shared. It repeats nothing.
ENDED = "This link does not work, or no longer. Ask the person who sent it for a new one."


def show_ended() -> None:
    """Draw what stands in the place of everything that is not, or no longer, shared."""
    st.header("Nothing is shared here", anchor=False)
    st.markdown(ENDED)


@notices.told
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
        _history(lulu, session_id, options, first, settled, has_earlier)
        _open_turn(lulu, session_id, options, settled)
    with st.bottom:
        now.show_line(session_id)


def _is_still_shared(session_id: SessionId) -> bool:
    """Asked in every run of every fragment: a fragment keeps its arguments, and the link may have ended since."""
    if identity.actor().may_watch(session_id):
        return True
    show_ended()
    return False


@st.fragment
@notices.told
def _header(lulu: Runtime, session_id: SessionId) -> None:
    topic = row_topic(session_id)
    bell(topic, seen=lulu.store.bus.version(topic), key=f"guest_header_{session_id}")
    if not _is_still_shared(session_id):
        return
    session = guest_session(lulu.store.get_session(session_id))
    with st.container(key=SESSION_HEADER, gap=None):
        st.markdown(f"##### {safe_label(header.full_name(session), 120)}", anchors=False)
        st.caption(header.details(session, "shared with you, read-only"))


@st.fragment
@notices.told
def _history(
    lulu: Runtime, session_id: SessionId, options: ShareOptions, first: int, settled: int, has_earlier: bool
) -> None:
    if not _is_still_shared(session_id):
        return
    if has_earlier:
        offer_earlier(lulu, session_id, first)
    found, turns = together.once(
        lulu.store,
        (flowing.SHARED, session_id, first, settled, options),
        [session_topic(session_id)],
        lambda: _read_settled(lulu, session_id, first, settled, options),
    )
    show_hidden(found.hidden)
    render.show_turns(turns)


def _read_settled(
    lulu: Runtime, session_id: SessionId, first: int, settled: int, options: ShareOptions
) -> tuple[GuestRows, list[Turn]]:
    rows = lulu.store.get_session_events(session_id, after=first - 1, before=settled + 1)
    found = guest_rows(rows, options)
    return found, transcript.turns(found.rows)


@st.fragment
@notices.told
def _open_turn(lulu: Runtime, session_id: SessionId, options: ShareOptions, settled: int) -> None:
    topic = session_topic(session_id)
    bell(topic, seen=lulu.store.bus.version(topic), key=f"guest_{session_id}")
    if not _is_still_shared(session_id):
        return
    session = guest_session(lulu.store.get_session(session_id))
    found, hidden = together.once(
        lulu.store,
        (flowing.SHARED, session_id, settled, options),
        [topic, text_topic(session_id)],
        lambda: _read_open(lulu, session_id, settled, options),
    )
    if has_settled(found, live=session.is_live):
        st.rerun()
    reading.follow(session_id, found.rows, found.written)
    # What is told comes from the redacted rows only; whom the agent asks is none of a guest's.
    now.tell(lulu, session, found.rows, found.written, [], waiting="Waits for the owner")
    show_hidden(hidden)
    draw = writing(session, found, kind=flowing.SHARED)
    render.show_turns(found.turns, live=session.is_live, writing=draw)


def _read_open(lulu: Runtime, session_id: SessionId, settled: int, options: ShareOptions) -> tuple[Open, Counter[str]]:
    """What came after ``settled``, as guests see it, and how much is hidden in it."""
    stored = read_open(lulu, session_id, settled)
    found = guest_rows(stored.rows, options)
    written = guest_text(stored.written, options)
    return Open(rows=found.rows, written=written, number=stored.number, upto=stored.upto), found.hidden


def show_hidden(hidden: Counter[str]) -> None:
    """How much is not shown, by kind."""
    if hidden.total():
        st.caption(f":material/visibility_off: Hidden here: {hidden_kinds(hidden)}")


def hidden_kinds(hidden: Counter[str]) -> str:
    """``2 × password, 1 × home folder``."""
    counts = hidden.most_common()
    return ", ".join(f"{count} × {safe_label(kind.replace('_', ' '))}" for kind, count in counts if count)
