"""The transcript of one session: settled history, and the open turn in a fragment that the doorbell rings.

Only a window of the log is read. What is settled is drawn once; new text re-runs the open turn alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from lulu.model.actors import Actor, Role
from lulu.model.events import StoredEvent
from lulu.model.sessions import Session, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.server.push import live_text
from lulu.store import LiveText, session_topic, text_topic
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
from lulu.ui.session import activity_line, checklist, menu, prompt_queue, retry
from lulu.ui.state import Shown, state
from lulu.ui.styles import EARLIER, LOAD_EARLIER, TRANSCRIPT
from lulu.ui.transcript import copy_menu, event_views, system_events

#: Events that a page shows at first, and that "Load earlier" adds: more make a long session slow (``make bench``).
WINDOW = 40
#: A page that stays grows by what is said, up to so many events, before its first ones are let go.
MOST_SHOWN = 100
#: An open turn longer than this moves its older part into settled history, all but its last events: each change of it
#: draws all that is open, and each move the whole page, for everybody who looks.
MAX_OPEN = 80
KEEP_OPEN = 10
#: Settled lines that a page draws with its first run, at least: about as many as are in view. What stands above them
#: comes with a run of its own right after it, so that the last words do not wait for what nobody sees yet.
DRAWN_FIRST = 10
#: Fewer lines than this above them come with the first run, too.
DRAWN_LATER = 15
#: How often a running session is looked at for silence, in seconds.
_LOOK_EVERY = 10


@dataclass(frozen=True, kw_only=True)
class _History:
    """Which settled events a page shows."""

    session_id: SessionId
    first: int
    #: The last event of each part that they are drawn in.
    ends: tuple[int, ...]
    #: Whether there are others before ``first``.
    has_earlier: bool


def show(
    lulu: Runtime, actor: Actor, session: Session, *, event: str | None = None, has_checklist: bool = False
) -> None:
    """Draw the transcript; with ``event``, an id out of the address, the part of it around that event.

    Where the page shows no checklist yet, the first call that writes one redraws the page.
    """
    if event is not None and (around := _around(lulu, session.id, event)):
        state().shown = None
        _show_around(session.id, int(event), _turns(lulu, around))
        return
    before = state().shown
    rows, has_earlier = window(lulu, session.id)
    settled = transcript.settled_until(rows, live=session.is_live, keep=KEEP_OPEN)
    turns = _turns(lulu, [row for row in rows if row.id <= settled])
    history = _History(
        session_id=session.id,
        first=rows[0].id if rows else 0,
        ends=divide(session.id, rows, settled, turns),
        has_earlier=has_earlier,
    )
    # The transcript of another session would stand between the parts of this one until the run has ended.
    place = st.empty() if before is not None and before.session_id != session.id else st
    with place.container(key=TRANSCRIPT):
        for number, pieces in enumerate(split.divided(turns, history.ends)):
            _settled_part(lulu, actor, history, number, [pieces])
        _open_turn(lulu, actor, session.id, settled, has_checklist)
    with st.bottom:
        activity_line.show_line(session.id)


def window(lulu: Runtime, session_id: SessionId) -> tuple[list[StoredEvent], bool]:
    """The events to show, and whether there are earlier ones.

    While a session stays on the page its first event does: somebody may be reading there.
    """
    earliest = state().earliest.get(session_id)
    shown = _shown(session_id)
    if earliest is not None:
        rows = lulu.store.get_session_events(session_id, after=earliest - 1)
    else:
        rows = _shown_still(lulu, shown) or lulu.store.get_session_events(session_id, limit=WINDOW)
    first = rows[0].id if rows else None
    if shown.first is not None and first is not None and first > shown.first:
        # Its first ones are let go: it is drawn anew.
        shown.ends = []
    shown.first = first
    return rows, bool(rows and lulu.store.get_session_events(session_id, before=rows[0].id, limit=1))


def earlier_calls(lulu: Runtime, rows: list[StoredEvent]) -> list[StoredEvent]:
    """The calls and requests before these rows of one session that they are parts of; asked for only where some are."""
    names = untold(rows)
    return lulu.store.calls_before(rows[0].session_id, rows[0].id, names) if names else []


def _turns(lulu: Runtime, rows: list[StoredEvent]) -> list[Turn]:
    drawn = [row for row in rows if system_events.is_drawn(row.event)]
    return transcript.turns(drawn, earlier=earlier_calls(lulu, drawn))


def divide(session_id: SessionId, rows: list[StoredEvent], settled: int, turns: Iterable[Turn] = ()) -> tuple[int, ...]:
    """The last event of each part that the rows up to ``settled`` are drawn in; what was drawn stays where it stands.

    ``turns`` are those of a page that draws what is not in view later: as its first part.
    """
    shown = _shown(session_id)
    if not shown.ends:
        at = split.place_to_divide(turns, above=DRAWN_LATER, below=DRAWN_FIRST)
        shown.ends = [at - 1] if at else []
        shown.is_whole = shown.is_whole or not at
    shown.ends = split.ends(shown.ends, rows, settled)
    return tuple(shown.ends)


def _shown(session_id: SessionId) -> Shown:
    """What this page shows of the session; begun anew where it has shown another."""
    shown = state().shown
    if shown is None or shown.session_id != session_id:
        shown = state().shown = Shown(session_id=session_id)
    return shown


def _shown_still(lulu: Runtime, shown: Shown) -> list[StoredEvent]:
    """What the page has shown of its session and what came since; nothing where that is nothing yet, or too much."""
    if shown.first is None:
        return []
    rows = lulu.store.get_session_events(shown.session_id, after=shown.first - 1, limit=MOST_SHOWN + 1)
    return rows if len(rows) <= MOST_SHOWN else []


def _around(lulu: Runtime, session_id: SessionId, event: str) -> list[StoredEvent]:
    if not re.fullmatch(r"[0-9]{1,18}", event):
        return []
    return lulu.store.events_around(session_id, int(event), before=WINDOW // 4, after=WINDOW // 2)


def _show_around(session_id: SessionId, event_id: int, turns: list[Turn]) -> None:
    """A place in the log that somebody was sent to. It does not move on its own; the live end is a click away."""
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
@identity.owner_only
def _settled_part(lulu: Runtime, actor: Actor, history: _History, number: int, read: list[list[split.Piece]]) -> None:
    """One part of the settled events. A fragment of its own, so that opening a fold redraws nothing else.

    ``read`` holds it for the first time it is drawn: a fragment keeps its arguments, and they may be large.
    """
    shown = state().shown
    if number == 0 and shown is not None and shown.session_id == history.session_id and not shown.is_whole:
        # It is above what is in view: its first run only asks for the second, which draws it.
        shown.is_whole = True
        bell(session_topic(history.session_id), seen=-1, key=EARLIER)
        return
    if number == 0 and history.has_earlier:
        offer_earlier(lulu, history.session_id, history.first)
    pieces = read.pop() if read else _divided(lulu, history)[number]
    whole = {piece.shown.key: piece.whole for piece in pieces}
    place = f"fork_{history.session_id}_{number}"
    is_live = lulu.store.get_session(history.session_id).is_live

    def draw_menu(piece: Turn) -> None:
        turn = whole[piece.key]
        if turn is not None and (turn.is_over or not is_live) and actor.role is Role.OWNER:
            rows = sorted(turn.events(), key=lambda stored: stored.id)
            # A sub-agent of this turn may have worked on in later ones: its last event is not the turn's.
            inside = (turn.result or rows[-1]).id
            copy_menu.show_turn(rows, fork=partial(_fork_button, lulu, actor, history.session_id, inside, place))

    with st.container():
        event_views.show_turns([piece.shown for piece in pieces], after=draw_menu)
    navigation.follow()
    alerts.show_problem(place)


def _divided(lulu: Runtime, history: _History) -> list[list[split.Piece]]:
    rows = lulu.store.get_session_events(history.session_id, after=history.first - 1, before=history.ends[-1] + 1)
    return split.divided(_turns(lulu, rows), history.ends)


def _fork_button(lulu: Runtime, actor: Actor, session_id: SessionId, inside: int, place: str) -> None:
    st.button(
        "Fork from here",
        key=f"fork_at_{inside}",
        type="tertiary",
        icon=":material/fork_right:",
        help="A new session that knows everything up to here.",
        on_click=menu.fork,
        args=(lulu, actor, session_id, inside, place),
    )


def offer_earlier(lulu: Runtime, session_id: SessionId, first: int) -> None:
    """Draw the button that shows what came before the event ``first``; for a fragment of settled history."""
    st.button(
        "Load earlier",
        key=LOAD_EARLIER,
        type="tertiary",
        icon=":material/history:",
        on_click=_load_earlier,
        args=(lulu, session_id, first),
    )
    # The callback alone would rerun the fragment with its old arguments.
    if state().earliest.get(session_id, first) < first:
        st.rerun()


def _load_earlier(lulu: Runtime, session_id: SessionId, first: int) -> None:
    earlier = lulu.store.get_session_events(session_id, before=first, limit=WINDOW)
    if earlier:
        state().earliest[session_id] = earlier[0].id


@st.fragment
@alerts.told
@identity.owner_only
def _open_turn(lulu: Runtime, actor: Actor, session_id: SessionId, settled: int, has_checklist: bool) -> None:
    """What came after ``settled``: the turn at work, the text that is being written, open requests, queued prompts."""
    # First, as in a settled part: that takes its place, and what is read or marked in a turn stays on the page.
    drawn = st.container()
    topic = session_topic(session_id)
    bell(topic, seen=lulu.store.bus.version(topic), key=f"feed_{session_id}")
    number = lulu.store.bus.version(text_topic(session_id))
    # Before the rows: a block that is finished in between is then seen twice, and once is dropped, never lost.
    written = lulu.store.live_text(session_id)
    session = lulu.store.get_session(session_id)
    rows = lulu.store.get_session_events(session_id, after=settled)
    if has_settled(rows, live=session.is_live) or _lacks_checklist(lulu, session_id, rows, has_checklist):
        st.rerun()
    written = unfinished(written, rows)
    scroll.follow(session_id, rows, written)
    asked = lulu.store.approvals(session_id)
    activity_line.tell(lulu, session, rows, written, asked)
    turns = _turns(lulu, rows)
    upto = rows[-1].id if rows else settled
    with drawn:
        draw = writing(session, turns, written, number=number, upto=upto)
        event_views.show_turns(turns, live=session.is_live, writing=draw)
    request.show_pending(lulu, actor, session, asked)
    folder_trust.show_held(lulu, actor, session_id)
    retry.show(lulu, actor, session)
    prompt_queue.show(lulu, actor, session_id)
    if session.known_status is SessionStatus.RUNNING:
        _silence(lulu, session_id)


def has_settled(rows: list[StoredEvent], *, live: bool) -> bool:
    """Whether of the open ``rows`` a whole turn, or the older part of a long one, can move into settled history."""
    if not rows or (live and len(transcript.turns(rows)) < 2 and len(rows) <= MAX_OPEN):
        return False
    # At least one of these: ids between theirs and the last settled one are those of other sessions.
    return transcript.settled_until(rows, live=live, keep=KEEP_OPEN) >= rows[0].id


def _lacks_checklist(lulu: Runtime, session_id: SessionId, rows: list[StoredEvent], has_checklist: bool) -> bool:
    return not has_checklist and begins(rows) and checklist.is_kept(lulu, session_id)


def unfinished(written: LiveText | None, rows: list[StoredEvent]) -> LiveText | None:
    """The text that is being written, unless it is among the events already."""
    if written is not None and live_text.is_finished(written, [row.event for row in rows[-5:]]):
        return None
    return written


def writing(
    session: Session,
    turns: list[Turn],
    written: LiveText | None,
    *,
    number: int,
    upto: int,
    kind: str = live_text.OWN,
) -> Callable[[], None] | None:
    """What draws the text that is being written below ``turns``, by ``flow.show``; nothing where none may come."""
    is_open = session.is_live and bool(turns) and not turns[-1].is_over and bool(turns[-1].items)
    if written is None and not is_open:
        return None
    return partial(flow.show, session.id, written, number=number, upto=upto, kind=kind)


@st.fragment(run_every=_LOOK_EVERY)
@alerts.told
@identity.owner_only
def _silence(lulu: Runtime, session_id: SessionId) -> None:
    """Say so when a running agent has not made a sound for long. It is never stopped for that."""
    session = lulu.store.get_session(session_id)
    last = lulu.store.get_session_events(session_id, limit=1)
    written = lulu.store.live_text(session_id)
    if session.known_status is not SessionStatus.RUNNING or not last:
        return
    heard = max(last[0].created_at, session.updated_at, written.updated_at if written else last[0].created_at)
    silent = (datetime.now(UTC) - heard).total_seconds()
    if silent < lulu.settings.stall_seconds or lulu.store.approvals(session_id):
        return
    st.warning(
        f"The agent has been silent for {formats.duration(silent * 1000)}. It may be in a long command or a slow "
        "answer; nothing is lost. You can wait, or stop and send again.",
        icon=":material/hourglass:",
    )
