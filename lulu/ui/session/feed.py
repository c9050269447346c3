"""The transcript of one session: settled events, and the open turn in a fragment of its own.

Only a window of the log is read. Settled events are drawn once; new text runs only the fragment of the open turn.
Rows come from the view's source only: as stored for an owner, redacted for a guest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from lulu.access.source import Log, OpenTurn, Source, hidden_in
from lulu.model.events import StoredEvent
from lulu.model.sessions import Session, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.server.push import live_text
from lulu.store import Approval, session_topic, text_topic
from lulu.transcript import split
from lulu.transcript import turns as transcript
from lulu.transcript.checklist import begins
from lulu.transcript.tool_calls import untold
from lulu.transcript.turns import Turn
from lulu.ui import alerts, formats, identity, navigation
from lulu.ui.approvals import folder_trust, request
from lulu.ui.browser import live_text as flow
from lulu.ui.browser import scroll
from lulu.ui.browser.doorbell import bell
from lulu.ui.browser.scroll_target import scroll_to_marked
from lulu.ui.page_context import PageContext
from lulu.ui.session import activity_line, menu, prompt_queue, retry
from lulu.ui.session.view import SessionView, viewer_only
from lulu.ui.state import Shown, state
from lulu.ui.styles import EARLIER, LOAD_EARLIER, TRANSCRIPT
from lulu.ui.transcript import copy_menu, event_views, system_events

#: Events that a page shows first, and that "Load earlier" adds. More make a long session slow (``make bench``).
WINDOW = 40
#: A page that stays open grows up to this number of events, then it drops its first ones.
MOST_SHOWN = 100
#: An open turn with more events moves its older ones, all but the last ``KEEP_OPEN``, into settled history. Each change
#: draws the whole open turn, and each such move the whole page of every viewer.
MAX_OPEN = 80
KEEP_OPEN = 10
#: Settled lines that the first run of a page draws: about as many as are visible. A second run right after it draws
#: those above, so that the visible ones appear earlier.
DRAWN_FIRST = 10
#: If fewer lines than this are above them, the first run draws those, too.
DRAWN_LATER = 15
#: Seconds between two checks whether a running agent is silent.
_LOOK_EVERY = 10


@dataclass(frozen=True, kw_only=True)
class _History:
    """The settled events that a page shows."""

    session_id: SessionId
    first: int
    #: Id of the last event of each part.
    ends: tuple[int, ...]
    #: Whether there are events before ``first``.
    has_earlier: bool


def show(view: SessionView, session: Session, *, event: str | None = None, has_checklist: bool = False) -> None:
    """Draw the transcript, or the part around one event if ``event`` is its id from the address.

    Without ``has_checklist``, the first call that writes a checklist runs the whole page again.
    """
    source = view.source
    if event is not None and (around := _around(source, event)):
        state().shown = None
        _show_around(session.id, int(event), _turns(source, around))
        return
    before = state().shown
    rows, first, has_earlier = window(source)
    settled = transcript.settled_until(rows, live=session.is_live, keep=KEEP_OPEN)
    turns = _turns(source, [row for row in rows if row.id <= settled])
    history = _History(
        session_id=session.id,
        first=first,
        ends=divide(session.id, rows, settled, turns),
        has_earlier=has_earlier,
    )
    # Else Streamlit would leave the other session's elements between these until the run has ended.
    place = st.empty() if before is not None and before.session_id != session.id else st
    with place.container(key=TRANSCRIPT):
        for number, pieces in enumerate(split.divided(turns, history.ends)):
            _settled_part(view, history, number, [pieces])
        _open_turn(view, settled, has_checklist)
    with st.bottom:
        activity_line.show_line(session.id)


def window(source: Source) -> tuple[list[StoredEvent], int, bool]:
    """Return the events to show, the id of the first one read, and whether there are earlier ones.

    While a page stays at a session its first event stays, too: the person may be reading there.
    """
    shown = _shown(source.session_id)
    earliest = state().earliest.get(source.session_id)
    if earliest is not None:
        log = source.events(after=earliest - 1)
    else:
        log = _shown_still(source, shown) or source.events(limit=WINDOW)
    if shown.first is not None and log.first is not None and log.first > shown.first:
        # The first events were dropped, so the parts are divided again.
        shown.ends = []
    shown.first = log.first
    if log.first is None:
        return [], 0, False
    return log.rows, log.first, source.events(before=log.first, limit=1).first is not None


def earlier_calls(source: Source, rows: list[StoredEvent]) -> list[StoredEvent]:
    """Return the earlier calls and requests that these rows belong to. Queries only if there are any."""
    names = untold(rows)
    return source.calls_before(rows[0].id, names) if names else []


def _turns(source: Source, rows: list[StoredEvent]) -> list[Turn]:
    drawn = [row for row in rows if system_events.is_drawn(row.event)]
    return transcript.turns(drawn, earlier=earlier_calls(source, drawn))


def divide(session_id: SessionId, rows: list[StoredEvent], settled: int, turns: Iterable[Turn] = ()) -> tuple[int, ...]:
    """Return the last event of each part of the rows up to ``settled``. Existing parts stay as they are.

    With ``turns``, the first part is one that the page draws later because it is not visible at first.
    """
    shown = _shown(session_id)
    if not shown.ends:
        at = split.place_to_divide(turns, above=DRAWN_LATER, below=DRAWN_FIRST)
        shown.ends = [at - 1] if at else []
        shown.is_whole = shown.is_whole or not at
    shown.ends = split.ends(shown.ends, rows, settled)
    return tuple(shown.ends)


def _shown(session_id: SessionId) -> Shown:
    """Return what this page shows of the session; a new value if it showed another session."""
    shown = state().shown
    if shown is None or shown.session_id != session_id:
        shown = state().shown = Shown(session_id=session_id)
    return shown


def _shown_still(source: Source, shown: Shown) -> Log | None:
    """Return the events from the first shown one until now.

    ``None`` on the first run, or if there are more than ``MOST_SHOWN``.
    """
    if shown.first is None:
        return None
    log = source.events(after=shown.first - 1, limit=MOST_SHOWN)
    return log if log.first == shown.first else None


def _around(source: Source, event: str) -> list[StoredEvent]:
    if not re.fullmatch(r"[0-9]{1,18}", event):
        return []
    return source.events_around(int(event), before=WINDOW // 4, after=WINDOW // 2).rows


def _show_around(session_id: SessionId, event_id: int, turns: list[Turn]) -> None:
    """Draw the events around one event, and a link to the session's end. They are not updated."""
    with st.container(key=TRANSCRIPT):
        st.page_link(
            navigation.session(),
            label="You see a part of this session. Jump to the end",
            icon=":material/vertical_align_bottom:",
            query_params={"id": session_id},
        )
        event_views.show_turns(turns, marked=event_id)
        scroll_to_marked(event_id)


@st.fragment
@alerts.told
@viewer_only
def _settled_part(view: SessionView, history: _History, number: int, read: list[list[split.Piece]]) -> None:
    """Draw one part of the settled events; a fragment, so that an expander redraws only its part.

    ``read`` holds the part for the first run only: a fragment keeps its arguments, and these may be large.
    """
    shown = state().shown
    if number == 0 and shown is not None and shown.session_id == history.session_id and not shown.is_whole:
        # This part is above the visible ones. Its first run only requests the second, and that one draws it.
        shown.is_whole = True
        bell(session_topic(history.session_id), seen=-1, key=EARLIER)
        return
    if number == 0 and history.has_earlier:
        offer_earlier(view.source, history.first)
    pieces = read.pop() if read else _divided(view.source, history)[number]
    place = f"fork_{history.session_id}_{number}"
    with st.container():
        _show_hidden([piece.shown for piece in pieces])
    with st.container():
        draw_menu = _turn_menu(view, view.page, pieces, place) if view.page else None
        event_views.show_turns([piece.shown for piece in pieces], after=draw_menu)
    navigation.follow()
    alerts.show_problem(place)


def _divided(source: Source, history: _History) -> list[list[split.Piece]]:
    log = source.events(after=history.first - 1, before=history.ends[-1] + 1)
    return split.divided(_turns(source, log.rows), history.ends)


def _show_hidden(turns: Iterable[Turn]) -> None:
    """Draw how much is hidden in these turns, by kind; on an owner's page none is."""
    hidden = hidden_in(stored for turn in turns for stored in turn.events())
    if hidden.total():
        st.caption(f":material/visibility_off: Hidden here: {formats.hidden_kinds(hidden)}")


def _turn_menu(
    view: SessionView, page: PageContext, pieces: Iterable[split.Piece], place: str
) -> Callable[[Turn], None]:
    """Return the function that draws the menu at the end of a turn: copy it, fork the session there."""
    whole = {piece.shown.key: piece.whole for piece in pieces}
    is_live = view.source.session().is_live

    def draw(piece: Turn) -> None:
        turn = whole[piece.key]
        if turn is not None and (turn.is_over or not is_live):
            rows = sorted(turn.events(), key=lambda stored: stored.id)
            # A sub-agent of this turn may have gone on during later turns, so its last event may belong to those.
            inside = (turn.result or rows[-1]).id
            copy_menu.show_turn(rows, fork=partial(_fork_button, page, view.session_id, inside, place))

    return draw


def _fork_button(page: PageContext, session_id: SessionId, inside: int, place: str) -> None:
    st.button(
        "Fork from here",
        key=f"fork_at_{inside}",
        type="tertiary",
        icon=":material/fork_right:",
        help="A new session that knows everything up to here.",
        on_click=menu.fork,
        args=(page, session_id, inside, place),
    )


def offer_earlier(source: Source, first: int) -> None:
    """Draw "Load earlier" for the events before ``first``. For a fragment of settled history."""
    st.button(
        "Load earlier",
        key=LOAD_EARLIER,
        type="tertiary",
        icon=":material/history:",
        on_click=_load_earlier,
        args=(source, first),
    )
    # The callback alone would run the fragment with its old arguments.
    if state().earliest.get(source.session_id, first) < first:
        st.rerun()


def _load_earlier(source: Source, first: int) -> None:
    earlier = source.events(before=first, limit=WINDOW)
    if earlier.first is not None:
        state().earliest[source.session_id] = earlier.first


@st.fragment
@alerts.told
@viewer_only
def _open_turn(view: SessionView, settled: int, has_checklist: bool) -> None:
    """Draw the events after ``settled``, the live text, open requests and queued prompts."""
    source, session_id = view.source, view.session_id
    # First, as in a settled part, which later takes this place. So marks and unfolded expanders stay.
    hidden, drawn = st.container(), st.container()
    topic = session_topic(session_id)
    bell(topic, seen=source.version(topic), key=f"feed_{session_id}")
    number = source.version(text_topic(session_id))
    opened = source.open_turn(after=settled)
    rows = opened.log.rows
    if has_settled(rows, live=opened.session.is_live) or _lacks_checklist(source, rows, has_checklist):
        st.rerun()
    scroll.follow(session_id, rows, opened.written)
    asked = source.requests()
    activity_line.tell(view, opened, asked)
    turns = _turns(source, rows)
    with hidden:
        _show_hidden(turns)
    with drawn:
        draw = _writing(view, opened, turns, number=number, upto=opened.log.last or settled)
        event_views.show_turns(turns, live=opened.session.is_live, writing=draw)
    if view.page is not None:
        _show_actions(view.page, opened.session, asked)


def _show_actions(page: PageContext, session: Session, asked: list[Approval]) -> None:
    """Draw what an owner can do below the open turn."""
    request.show_pending(page, session, asked)
    folder_trust.show_held(page, session.id)
    retry.show(page, session)
    prompt_queue.show(page, session.id)
    if session.known_status is SessionStatus.RUNNING:
        _silence(page.lulu, session.id)


def has_settled(rows: list[StoredEvent], *, live: bool) -> bool:
    """Whether a whole turn, or the older part of a long one, can move into settled history."""
    if not rows or (live and len(transcript.turns(rows)) < 2 and len(rows) <= MAX_OPEN):
        return False
    # At least one of these rows: other sessions have ids between theirs and the last settled one.
    return transcript.settled_until(rows, live=live, keep=KEEP_OPEN) >= rows[0].id


def _lacks_checklist(source: Source, rows: list[StoredEvent], has_checklist: bool) -> bool:
    return not has_checklist and begins(rows) and bool(source.checklist())


def _writing(
    view: SessionView, opened: OpenTurn, turns: list[Turn], *, number: int, upto: int
) -> Callable[[], None] | None:
    """Return the function that draws the live text below ``turns``; ``None`` if no text can follow."""
    is_open = opened.session.is_live and bool(turns) and not turns[-1].is_over and bool(turns[-1].items)
    if opened.written is None and not is_open:
        return None
    kind = live_text.SHARED if view.page is None else live_text.OWN
    return partial(flow.show, view.session_id, opened.written, number=number, upto=upto, kind=kind)


@st.fragment(run_every=_LOOK_EVERY)
@alerts.told
@identity.owner_only
def _silence(lulu: Runtime, session_id: SessionId) -> None:
    """Draw a warning if a running agent has been silent for long. It is never stopped for that."""
    session = lulu.store.sessions.get(session_id)
    last = lulu.store.events.of_session(session_id, limit=1)
    written = lulu.store.events.live_text(session_id)
    if session.known_status is not SessionStatus.RUNNING or not last:
        return
    heard = max(last[0].created_at, session.updated_at, written.updated_at if written else last[0].created_at)
    silent = (datetime.now(UTC) - heard).total_seconds()
    if silent < lulu.settings.stall_seconds or lulu.store.approvals.find(session_id):
        return
    st.warning(
        f"The agent has been silent for {formats.duration(silent * 1000)}. It may be in a long command or a slow "
        "answer; nothing is lost. You can wait, or stop and send again.",
        icon=":material/hourglass:",
    )
