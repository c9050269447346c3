"""Copies or downloads an event, a call, a turn or a session, as text, markdown or raw JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import streamlit as st

from lulu.model.events import StoredEvent
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.text.labels import one_line
from lulu.transcript import export
from lulu.ui.browser.assets import asset

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_popover_container import PopoverContainer

#: Most characters that are offered for the clipboard; longer texts are files.
MOST = 300_000
#: The forms by name: the ending of a file, and the function that writes it.
FORMS: dict[str, tuple[str, Callable[[Iterable[StoredEvent]], str]]] = {
    "Text": ("txt", export.as_text),
    "Markdown": ("md", export.as_markdown),
    "JSON": ("json", export.as_json),
}

#: Selects every event of a turn: no event has this id.
_ALL = 0

HTML = '<div class="forms"></div>'

_mount = st.components.v2.component("lulu_copy", html=HTML, css=asset("copy_menu.css"), js=asset("copy_menu.js"))


def show_turn(rows: list[StoredEvent], *, fork: Callable[[], None]) -> None:
    """Draw the button at the end of a turn. Texts are made only while the menu is open.

    ``fork`` draws the button that continues from there in another session.
    """
    first = rows[0].id
    menu = _menu(f"copy_{first}", "Copy or fork")
    if menu.open:
        with menu:
            fork()
            chosen = _chosen(rows)
            _show_forms(chosen, name=f"turn-{first}" if chosen is rows else f"event-{chosen[0].id}")


def show_call(rows: list[StoredEvent]) -> None:
    """Draw the button at the end of an unfolded call."""
    first = min(stored.id for stored in rows)
    menu = _menu(f"copy_call_{first}")
    if menu.open:
        with menu:
            _show_forms(sorted(rows, key=lambda stored: stored.id), name=f"call-{first}")


def _menu(key: str, label: str = "Copy") -> PopoverContainer:
    return st.popover(label, key=key, type="tertiary", icon=":material/content_copy:", on_change="rerun")


def _chosen(rows: list[StoredEvent]) -> list[StoredEvent]:
    """Return the whole turn, or the one event that the reader has chosen."""
    by_id = {int(stored.id): stored for stored in rows}
    picked = st.selectbox(
        "Copy",
        [_ALL, *by_id],
        format_func=lambda one: "The whole turn" if one == _ALL else one_line(export.heading(by_id[one]), 60),
        key=f"copy_what_{rows[0].id}",
    )
    return rows if picked == _ALL or picked not in by_id else [by_id[picked]]


def _show_forms(rows: list[StoredEvent], *, name: str) -> None:
    forms = {form: text for form, (_, make) in FORMS.items() if (text := make(rows))}
    short = {form: text for form, text in forms.items() if len(text) <= MOST}
    first = rows[0]
    st.caption("As")
    link = f"?id={first.session_id}&event={first.id}"
    _mount(key=f"copies_{name}", data={"forms": short, "link": link}, height="content")
    if len(short) < len(forms):
        st.caption("Too long to copy: download instead.")
        _show_files(name, name.replace("-", "_"), lambda: rows)


def show_session(lulu: Runtime, session_id: SessionId) -> None:
    """Draw the downloads of a whole session. A click reads its log."""
    st.caption("Download the whole session as")
    _show_files(f"session-{session_id[:8]}", f"session_{session_id}", lambda: lulu.store.events.of_session(session_id))


def _show_files(name: str, key: str, read: Callable[[], list[StoredEvent]]) -> None:
    with st.container(horizontal=True, gap="small"):
        for form, (end, make) in FORMS.items():
            # Served as an attachment, so that a browser saves it and never opens it here.
            st.download_button(
                form,
                data=_bytes_of(make, read),
                file_name=f"{name}.{end}",
                mime="application/octet-stream",
                key=f"save_{end}_{key}",
                on_click="ignore",
            )


def _bytes_of(
    make: Callable[[Iterable[StoredEvent]], str], read: Callable[[], list[StoredEvent]]
) -> Callable[[], bytes]:
    return lambda: make(read()).encode("utf-8", "backslashreplace")
