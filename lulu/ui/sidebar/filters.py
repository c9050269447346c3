"""Which sessions the list shows, and in which order: pinned ones, then the last active ones."""

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
    """Draw the filters behind their button, and keep what is chosen while it is closed."""
    # A field that is not drawn would be forgotten.
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
            [_ANY, *lulu.store.recent_folders()],
            format_func=lambda folder: folder or "Any",
            key=_FOLDER,
        )
        st.toggle("Pinned only", key=_PINNED)
        st.toggle("Archived", key=_ARCHIVED)
        st.toggle("Select several", key=SELECTING)


def show_active() -> None:
    """Draw which filters are on, and the way to be rid of them."""
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
    """Whether anything but archived sessions is left out."""
    return bool(picked(_STATUS) or picked(_FOLDER) or is_on(_PINNED) or is_on(_ARCHIVED))


def listed(lulu: Runtime, *, search: str, limit: int) -> tuple[list[Session], bool]:
    """The sessions to show, in order, and whether there are more. What is pinned is there however old."""
    wanted = Show(
        status=str(picked(_STATUS) or "") or None,
        folder=str(picked(_FOLDER) or "") or None,
        pinned=True if is_on(_PINNED) else None,
        archived=is_on(_ARCHIVED),
    )
    latest = lulu.store.list_sessions(limit=limit + 1, search=search, show=wanted)
    pinned = lulu.store.list_sessions(limit=limit, search=search, show=replace(wanted, pinned=True))
    found = {session.id: session for session in (*pinned, *latest[:limit])}
    return in_order(found.values()), len(latest) > limit


def asked(search: str) -> str:
    """What somebody has asked the list for, as a text: another one is answered at once, wherever the pointer is."""
    return repr((search, *(picked(key) for key in (_STATUS, _FOLDER, _PINNED, _ARCHIVED)), state().rows_shown))


def in_order(sessions: Iterable[Session]) -> list[Session]:
    """Pinned ones, then the others; each by its last activity, whatever its status."""
    return sorted(sessions, key=lambda session: (session.pinned_at is not None, session.active_at), reverse=True)
