"""The filters of the session list, and its order: pinned sessions, then by last activity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st

from lulu.model.sessions import Session, SessionStatus
from lulu.runtime import Runtime
from lulu.store import Show
from lulu.ui import formats
from lulu.ui.state import is_on, keep, picked, put_back, state, switch_off

_STATUS, _FOLDER, _PINNED, _ARCHIVED = "filter_status", "filter_folder", "filter_pinned", "filter_archived"
SELECTING = "selecting"
_ANY = ""


def show(lulu: Runtime) -> None:
    """Draw the filters behind their button, and keep their values while it is closed."""
    # Streamlit forgets the value of a field that a run does not draw.
    for key in (_STATUS, _FOLDER, _PINNED, _ARCHIVED, SELECTING):
        keep(key)
    menu = st.popover(
        "Filter",
        icon=":material/filter_list:",
        key="filters",
        type="tertiary",
        help="Filter and select",
        on_change="rerun",
    )
    if not menu.open:
        return
    with menu:
        st.selectbox(
            "Status",
            [_ANY, *(status.value for status in SessionStatus)],
            format_func=lambda status: status or "Any",
            key=_STATUS,
        )
        st.selectbox(
            "Folder",
            [_ANY, *lulu.store.sessions.recent_folders()],
            format_func=lambda folder: folder or "Any",
            key=_FOLDER,
        )
        st.toggle("Pinned only", key=_PINNED)
        st.toggle("Archived", key=_ARCHIVED)
        st.toggle("Select several", key=SELECTING)


def show_active() -> None:
    """Draw the filters that are on, as a button to clear them."""
    active = formats.line(
        str(picked(_STATUS) or ""),
        formats.folder(str(picked(_FOLDER) or "")),
        "pinned" if is_on(_PINNED) else "",
        "archived" if is_on(_ARCHIVED) else "",
    )
    if active:
        st.button(
            f"Filter: {active}",
            key="clear_filters",
            type="tertiary",
            icon=":material/filter_list_off:",
            help="Show all again",
            on_click=_clear,
        )


def _clear() -> None:
    for key in (_STATUS, _FOLDER):
        put_back(key, _ANY)
    switch_off([_PINNED, _ARCHIVED])


def is_active() -> bool:
    """Whether a filter is on."""
    return bool(picked(_STATUS) or picked(_FOLDER) or is_on(_PINNED) or is_on(_ARCHIVED))


def listed(lulu: Runtime, *, search: str, limit: int) -> tuple[list[Session], bool]:
    """Return the sessions to draw, in order, and whether there are more. Old pinned ones are included."""
    wanted = Show(
        status=str(picked(_STATUS) or "") or None,
        folder=str(picked(_FOLDER) or "") or None,
        pinned=True if is_on(_PINNED) else None,
        archived=is_on(_ARCHIVED),
    )
    latest = lulu.store.sessions.latest(limit=limit + 1, search=search, show=wanted)
    pinned = lulu.store.sessions.latest(limit=limit, search=search, show=replace(wanted, pinned=True))
    found = {session.id: session for session in (*pinned, *latest[:limit])}
    return in_order(found.values()), len(latest) > limit


def asked(search: str) -> str:
    """Return search and filters as one text; the list is redrawn under the pointer only if it changes."""
    return repr((search, *(picked(key) for key in (_STATUS, _FOLDER, _PINNED, _ARCHIVED)), state().rows_shown))


def in_order(sessions: Iterable[Session]) -> list[Session]:
    """Sort sessions: pinned ones first, then by last activity. Their status does not matter."""
    return sorted(sessions, key=lambda session: (session.pinned_at is not None, session.active_at), reverse=True)
