"""The panel above the prompt box with the agent's checklist, from its TodoWrite or Task calls."""

from __future__ import annotations

import streamlit as st

from lulu.model.events import StoredEvent, User
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.store import row_topic
from lulu.transcript.checklist import from_events
from lulu.ui import alerts, identity
from lulu.ui.browser.doorbell import bell
from lulu.ui.content.checklist_items import progress, show_items
from lulu.ui.styles import CHECKLIST


def is_kept(lulu: Runtime, session_id: SessionId) -> bool:
    """Whether the session has a checklist. Without one the page draws no panel and no bell for it."""
    return bool(lulu.store.events.of_checklist(session_id))


@st.fragment
@alerts.told
@identity.owner_only
def show(lulu: Runtime, session_id: SessionId) -> None:
    """Draw the panel: unfolded while items are open, folded when all are done.

    A list that was done before the last prompt is not drawn.
    """
    with st.container(key=CHECKLIST):
        topic = row_topic(session_id)
        bell(topic, seen=lulu.store.bus.version(topic), key=f"checklist_{session_id}")
        rows = lulu.store.events.of_checklist(session_id)
        checklist = from_events(rows)
        if not checklist.items:
            return
        if checklist.is_done and _is_of_the_past(lulu, session_id, rows[-1]):
            return
        # Another key when the last item is done, so that it folds by itself. With the same key it would stay unfolded.
        state = "done" if checklist.is_done else "open"
        fold = st.expander(
            "Checklist",
            key=f"checklist_{state}_{session_id}",
            icon=":material/checklist:",
            expanded=not checklist.is_done and lulu.store.sessions.get(session_id).is_live,
            type="compact",
            on_change="rerun",
        )
        with st.container(key="checklist_progress"):
            st.caption(progress(checklist))
        if fold.open:
            with fold:
                show_items(checklist)


def _is_of_the_past(lulu: Runtime, session_id: SessionId, last: StoredEvent) -> bool:
    prompt = lulu.store.events.last(session_id, User.type)
    return prompt is not None and prompt.id > last.id
