"""The Search page, over every event of every session. The query is in the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from lulu.errors import InputError
from lulu.model import events
from lulu.model.events import EventId
from lulu.model.sessions import SessionStatus
from lulu.runtime import Runtime
from lulu.store import Hit, Query
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, navigation
from lulu.ui.state import state
from lulu.ui.styles import SEARCH_RESULTS

QUERY, KIND, TOOL, FOLDER, STATUS, MODEL, AGE = "q", "kind", "tool", "folder", "status", "model", "age"
#: Hits on one page.
STEP = 50
#: Names of the event types that contain text.
KINDS = {
    "user": "Prompts",
    "text": "Answers",
    "thinking": "Thoughts",
    "tool_use": "Tool calls",
    "tool_result": "Tool outputs",
    "error": "Errors",
    "system": "Notes",
}
AGES = {"Last day": 1, "Last week": 7, "Last month": 30}
_ANY = "Any"


def show(lulu: Runtime) -> None:
    """Draw the page."""
    st.title("Search", anchor=False)
    text = st.text_input(
        "Search",
        key=QUERY,
        type="search",
        bind="query-params",
        placeholder='Words, code, a path; "quotes keep words together"',
        label_visibility="collapsed",
    )
    query = _filters(lulu, text)
    if not text.strip():
        st.caption("Every prompt, answer, thought, tool call and output of every session is searched.")
        return
    try:
        _results(lulu, query)
    except InputError as exc:
        alerts.show(exc, serious=False)


def _filters(lulu: Runtime, text: str) -> Query:
    with st.expander("Filters", icon=":material/tune:", key="search_filters", type="compact", on_change="rerun"):
        left, middle, right = st.columns(3)
        kind = left.selectbox("What", [_ANY, *KINDS], key=KIND, format_func=lambda name: KINDS.get(name, name))
        tool = left.text_input("Tool", key=TOOL, placeholder="Bash")
        status = middle.selectbox("Status", [_ANY, *(status.value for status in SessionStatus)], key=STATUS)
        model = middle.text_input("Model", key=MODEL, placeholder="claude-opus-5-5")
        folder = right.selectbox("Folder", [_ANY, *lulu.store.sessions.recent_folders(limit=50)], key=FOLDER)
        age = right.selectbox("When", [_ANY, *AGES], key=AGE)
    return Query(
        text=text,
        event_type=None if kind == _ANY else kind,
        tool=tool.strip() or None,
        status=None if status == _ANY else status,
        model=model.strip() or None,
        folder=None if folder == _ANY else folder,
        since=None if age == _ANY else datetime.now(UTC) - timedelta(days=AGES[age]),
    )


def _results(lulu: Runtime, query: Query) -> None:
    page = lulu.store.search.find(query, before=_before(query), limit=STEP)
    if page.index_problem is not None:
        alerts.show(page.index_problem, serious=False)
    elif page.not_indexed:
        st.caption(
            f":material/hourglass: {formats.plural(page.not_indexed, 'older event')} not in the index yet; "
            "they are added in the background."
        )
    if page.scanned_only:
        st.caption("Short words (1–2 letters) search only recent events.")
    with st.container(key=SEARCH_RESULTS):
        for hit in page.hits:
            _show_hit(hit)
    if not page.hits:
        st.markdown("Nothing found.")
    if page.next_before is not None:
        st.button("Show older hits", key="search_more", on_click=_go_on, args=(query, page.next_before))


def _show_hit(hit: Hit) -> None:
    stored = hit.stored
    kind = KINDS.get(stored.type, safe_label(stored.type))
    tool = stored.event.name if isinstance(stored.event, events.ToolUse) else ""
    details = formats.line(kind, safe_label(tool), formats.folder(hit.folder), formats.age(stored.created_at))
    st.page_link(
        navigation.session(),
        label=f"**{safe_label(hit.session_name)}** :small[:gray[{details}]]",
        query_params={"id": stored.session_id, "event": str(stored.id)},
    )
    # ``safe_label`` trims, so a space beside the hit is added again. Word joiners separate markup from letters.
    before = safe_label(hit.before) + (" " if hit.before[-1:].isspace() else "\u2060")
    after = (" " if hit.after[:1].isspace() else "\u2060") + safe_label(hit.after)
    st.markdown(f":small[{before}:blue-background[{safe_label(hit.match)}]{after}]")


def _go_on(query: Query, before: EventId) -> None:
    state().searched = (query.text, before)


def _before(query: Query) -> EventId | None:
    searched = state().searched
    return searched[1] if searched and searched[0] == query.text else None
