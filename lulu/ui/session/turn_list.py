"""The menu "Turns": every turn with its prompt, its outcome and a link to it."""

from __future__ import annotations

import streamlit as st

from lulu.model.events import Result, User
from lulu.model.sessions import Session
from lulu.runtime import Runtime
from lulu.text.labels import safe_label
from lulu.transcript import turns as transcript
from lulu.transcript.turns import Turn
from lulu.ui import formats, navigation
from lulu.ui.state import is_on, state
from lulu.ui.styles import TURNS

_OPENS_ALL = "opens_all"
#: The newest turns that are listed.
MOST = 300


def show(lulu: Runtime, session: Session) -> None:
    """Draw the menu. The turns are read only while it is open."""
    menu = st.popover(
        "Turns",
        key="turns_menu",
        type="tertiary",
        icon=":material/format_list_numbered:",
        help="All prompts of this session, and all tool output",
        on_change="rerun",
    )
    if not menu.open:
        return
    with menu:
        st.toggle("Open all tool output", value=state().opens_all, key=_OPENS_ALL, on_change=_open_all)
        with st.container(key=TURNS, gap=None, width=420):
            _show_turns(lulu, session)
    if state().page_is_stale:
        # The transcript is outside of this fragment, so the whole page has to run.
        state().page_is_stale = False
        st.rerun()


def _open_all() -> None:
    state().opens_all = is_on(_OPENS_ALL)
    state().page_is_stale = True


def _show_turns(lulu: Runtime, session: Session) -> None:
    total = lulu.store.events.count_prompts(session.id)
    turns = [turn for turn in transcript.turns(lulu.store.events.turn_marks(session.id, limit=2 * MOST)) if turn.prompt]
    shown = turns[-MOST:]
    if not shown:
        st.caption("No turn yet.")
    if len(shown) < total:
        st.caption(f"The last {len(shown):,} of {formats.plural(total, 'turn')}.")
    for number, turn in enumerate(shown, start=total - len(shown) + 1):
        _show_turn(session, turn, number, is_last=turn is shown[-1])


def _show_turn(session: Session, turn: Turn, number: int, *, is_last: bool) -> None:
    if turn.prompt is None:
        return
    text = turn.prompt.event.text if isinstance(turn.prompt.event, User) else ""
    first = next((line for line in text.splitlines() if line.strip()), "(empty)")
    details = formats.line(_state(session, turn, is_last=is_last), f":gray[{_details(turn)}]")
    st.page_link(
        navigation.session(),
        label=f"**{number}** {safe_label(first)} :small[{details}]",
        query_params={"id": session.id, "event": str(turn.prompt.id)},
        width="stretch",
    )


def _state(session: Session, turn: Turn, *, is_last: bool) -> str:
    if turn.result is None or not isinstance(turn.result.event, Result):
        return formats.status(session) if is_last else ":orange[● unfinished]"
    if (turn.result.event.terminal_reason or "").startswith("aborted"):
        return ":orange[● interrupted]"
    return ":red[● failed]" if turn.result.event.is_error else ":green[● completed]"


def _details(turn: Turn) -> str:
    result = turn.result.event if turn.result and isinstance(turn.result.event, Result) else None
    return formats.line(
        formats.clock(turn.prompt.created_at) if turn.prompt else "",
        formats.took(result.duration_ms - (result.waited_ms or 0), result.waited_ms)
        if result and result.duration_ms is not None
        else "",
        formats.money(result.cost_usd) if result and result.cost_usd is not None else "",
    )
