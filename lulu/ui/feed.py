"""The transcript of one session: settled history, and the open turn in a fragment that the doorbell rings.

Only a window of the log is read. What is settled is drawn once; new text re-runs the open turn alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from lulu import transcript
from lulu.actors import Actor, Role
from lulu.events import StoredEvent
from lulu.runtime import Runtime
from lulu.sessions import Session, SessionId, SessionStatus
from lulu.store import LiveText, session_topic, text_topic
from lulu.transcript import Turn
from lulu.ui import (
    approvals,
    checklist,
    flow,
    identity,
    notices,
    now,
    places,
    queued,
    reading,
    render,
    session_menu,
    taking,
    wording,
)
from lulu.ui.bell import bell
from lulu.ui.look import LOAD_EARLIER, TRANSCRIPT
from lulu.ui.marker import scroll_to_marked
from lulu.ui.state import state
from lulu.web import flowing

#: Events that a page shows at first, and that "Load earlier" adds: more make a long session slow (``make bench``).
WINDOW = 40
#: A page that stays grows by what is said, up to so many events, before its first ones are let go.
MOST_SHOWN = 100
#: An open turn longer than this moves its older part into settled history, all but its last events: each change of it
#: draws all that is open, and each move the whole page, for everybody who looks.
MAX_OPEN = 80
KEEP_OPEN = 10
#: How often a running session is looked at for silence, in seconds.
_LOOK_EVERY = 10


def show(
    lulu: Runtime, actor: Actor, session: Session, *, event: str | None = None, has_checklist: bool = False
) -> None:
    """Draw the transcript; with ``event``, an id out of the address, the part of it around that event.

    Where the page shows no checklist yet, the first call that writes one redraws the page.
    """
    if event is not None and (around := _around(lulu, session.id, event)):
        _show_around(session.id, int(event), around)
        return
    rows, has_earlier = window(lulu, session.id)
    first = rows[0].id if rows else 0
    settled = transcript.settled_until(rows, live=session.is_live, keep=KEEP_OPEN)
    with st.container(key=TRANSCRIPT):
        _history(lulu, actor, session.id, first, settled, has_earlier, [rows])
        _open_turn(lulu, actor, session.id, settled, has_checklist)
    with st.bottom:
        now.show_line(session.id)


def window(lulu: Runtime, session_id: SessionId) -> tuple[list[StoredEvent], bool]:
    """The events to show, and whether there are earlier ones.

    While a session stays on the page its first event does: somebody may be reading there.
    """
    earliest = state().earliest.get(session_id)
    if earliest is not None:
        rows = lulu.store.get_session_events(session_id, after=earliest - 1)
    else:
        rows = _shown_still(lulu, session_id) or lulu.store.get_session_events(session_id, limit=WINDOW)
    state().shown_from = (session_id, rows[0].id) if rows else None
    return rows, bool(rows and lulu.store.get_session_events(session_id, before=rows[0].id, limit=1))


def _shown_still(lulu: Runtime, session_id: SessionId) -> list[StoredEvent]:
    """What the page has shown of this session and what came since; nothing where it was another, or is too much."""
    shown, first = state().shown_from or (None, 0)
    if shown != session_id:
        return []
    rows = lulu.store.get_session_events(session_id, after=first - 1, limit=MOST_SHOWN + 1)
    return rows if len(rows) <= MOST_SHOWN else []


def _around(lulu: Runtime, session_id: SessionId, event: str) -> list[StoredEvent]:
    if not re.fullmatch(r"[0-9]{1,18}", event):
        return []
    return lulu.store.events_around(session_id, int(event), before=WINDOW // 4, after=WINDOW // 2)


def _show_around(session_id: SessionId, event_id: int, rows: list[StoredEvent]) -> None:
    """A place in the log that somebody was sent to. It does not move on its own; the live end is a click away."""
    with st.container(key=TRANSCRIPT):
        st.page_link(
            places.session(),
            label="Part of a session, around one event. Go to its end",
            icon=":material/vertical_align_bottom:",
            query_params={"id": session_id},
        )
        render.show_turns(transcript.turns(rows), marked=event_id)
        scroll_to_marked(event_id)


@st.fragment
@notices.told
@identity.owner_only
def _history(
    lulu: Runtime,
    actor: Actor,
    session_id: SessionId,
    first: int,
    settled: int,
    has_earlier: bool,
    read: list[list[StoredEvent]],
) -> None:
    """Events ``first`` to ``settled``. A fragment of its own, so that opening a fold redraws nothing else.

    ``read`` holds the rows for the first run only: a fragment keeps its arguments, and they may be large.
    """
    if has_earlier:
        offer_earlier(lulu, session_id, first)
    rows = read.pop() if read else lulu.store.get_session_events(session_id, after=first - 1, before=settled + 1)
    places.follow()
    notices.show_problem(_fork_place(session_id))
    render.show_turns(
        transcript.turns(row for row in rows if row.id <= settled), after=_turn_menu(lulu, actor, session_id)
    )


def _turn_menu(lulu: Runtime, actor: Actor, session_id: SessionId) -> Callable[[Turn], None]:
    """Draws what stands at the end of a settled turn."""

    def draw(turn: Turn) -> None:
        if actor.role is Role.OWNER:
            rows = sorted(turn.events(), key=lambda stored: stored.id)
            # A sub-agent of this turn may have worked on in later ones: its last event is not the turn's.
            inside = (turn.result or rows[-1]).id
            taking.show_turn(rows, fork=partial(_fork_button, lulu, actor, session_id, inside))

    return draw


def _fork_button(lulu: Runtime, actor: Actor, session_id: SessionId, inside: int) -> None:
    st.button(
        "Fork from here",
        key=f"fork_at_{inside}",
        type="tertiary",
        icon=":material/fork_right:",
        help="A new session that knows everything up to here.",
        on_click=session_menu.fork,
        args=(lulu, actor, session_id, inside, _fork_place(session_id)),
    )


def _fork_place(session_id: SessionId) -> str:
    return f"fork_{session_id}"


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
@notices.told
@identity.owner_only
def _open_turn(lulu: Runtime, actor: Actor, session_id: SessionId, settled: int, has_checklist: bool) -> None:
    """What came after ``settled``: the turn at work, the text that is being written, open requests, queued prompts."""
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
    reading.follow(session_id, rows, written)
    asked = lulu.store.approvals(session_id)
    now.tell(lulu, session, rows, written, asked)
    turns = transcript.turns(rows)
    upto = rows[-1].id if rows else settled
    render.show_turns(turns, live=session.is_live, writing=writing(session, turns, written, number=number, upto=upto))
    approvals.show_pending(lulu, actor, session, asked)
    queued.show(lulu, actor, session_id)
    if session.known_status is SessionStatus.RUNNING:
        _silence(lulu, session_id)


def has_settled(rows: list[StoredEvent], *, live: bool) -> bool:
    """Whether of the open ``rows`` a whole turn, or the older part of a long one, can move into settled history."""
    if not rows or (live and len(transcript.turns(rows)) < 2 and len(rows) <= MAX_OPEN):
        return False
    # At least one of these: ids between theirs and the last settled one are those of other sessions.
    return transcript.settled_until(rows, live=live, keep=KEEP_OPEN) >= rows[0].id


def _lacks_checklist(lulu: Runtime, session_id: SessionId, rows: list[StoredEvent], has_checklist: bool) -> bool:
    return not has_checklist and checklist.begins(rows) and checklist.is_kept(lulu, session_id)


def unfinished(written: LiveText | None, rows: list[StoredEvent]) -> LiveText | None:
    """The text that is being written, unless it is among the events already."""
    if written is not None and flowing.is_finished(written, [row.event for row in rows[-5:]]):
        return None
    return written


def writing(
    session: Session,
    turns: list[Turn],
    written: LiveText | None,
    *,
    number: int,
    upto: int,
    kind: str = flowing.OWN,
) -> Callable[[], None] | None:
    """What draws the text that is being written below ``turns``, by ``flow.show``; nothing where none may come."""
    is_open = session.is_live and bool(turns) and not turns[-1].is_over and bool(turns[-1].items)
    if written is None and not is_open:
        return None
    return partial(flow.show, session.id, written, number=number, upto=upto, kind=kind)


@st.fragment(run_every=_LOOK_EVERY)
@notices.told
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
        f"No sound from the agent for {wording.duration(silent * 1000)}. It may still be at work, in a long command "
        "or a slow answer; nothing is lost. Wait, or press Stop and send the prompt again.",
        icon=":material/hourglass:",
    )
