"""The Inbox page: every open request of every session, oldest first, and the last answers."""

from __future__ import annotations

import streamlit as st

from lulu.errors import SessionNotFound
from lulu.model.sessions import Session
from lulu.runtime import Runtime
from lulu.store import APPROVALS, Approval
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, identity, navigation
from lulu.ui.approvals import decide, elicitation, folder_trust, interruptions, plans, questions, request
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext
from lulu.ui.session import header
from lulu.ui.state import INBOX_STEP, state
from lulu.ui.styles import INBOX

#: Answers that are listed below the open requests.
_RECENT = 10
#: Texts of the answers.
_SAID = {
    "approved": ":green[approved]",
    "denied": ":orange[denied]",
    "expired": ":orange[expired]",
    "cancelled": ":gray[cancelled by the agent]",
}


@st.fragment
@alerts.told
@identity.owner_only
def show(page: PageContext) -> None:
    """Draw the page. It is renewed when a request is made or answered."""
    bell(APPROVALS, seen=page.lulu.store.bus.version(APPROVALS), key="inbox")
    pending = page.lulu.store.approvals.find()
    st.title("Inbox", anchor=False)
    alerts.show_problems(decide.PLACE)
    held = folder_trust.show_all(page)
    if not pending and not held and not interruptions.cut_off(page.lulu):
        st.markdown("Nothing needs you. Requests from your agents appear here.")
    sessions: dict[str, Session | None] = {}
    with st.container(key=INBOX, gap="large"):
        for place, approval in enumerate(pending[: state().requests_shown]):
            if approval.session_id not in sessions:
                sessions[approval.session_id] = _session(page.lulu, approval.session_id)
            session = sessions[approval.session_id]
            if session is not None:
                _show_request(page, approval, session, in_view=place == 0)
    if len(pending) > state().requests_shown:
        more = len(pending) - state().requests_shown
        st.button(f"Show more ({more:,} wait)", key="show_more_requests", type="tertiary", on_click=_show_more)
    interruptions.show_live(page, show_more=lambda session: request.show_expired(page, session))
    _show_recent(page.lulu, sessions)


def _session(lulu: Runtime, session_id: str) -> Session | None:
    try:
        return lulu.store.sessions.get(session_id)
    except SessionNotFound:
        return None


def _show_request(page: PageContext, approval: Approval, session: Session, *, in_view: bool) -> None:
    with st.container(gap="small", key=f"inbox_{approval.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(gap=None):
                _link(session)
            st.caption(
                formats.line(formats.folder(session.working_directory), formats.age(approval.created_at)),
                width="content",
            )
            header.stop_button(page, session.id, key=f"stop_{approval.id}", is_quiet=True)
        request.show(page, approval, session, in_view=in_view)


def _link(session: Session) -> None:
    st.page_link(navigation.session(), label=f"**{safe_label(session.name)}**", query_params={"id": session.id})


def _show_recent(lulu: Runtime, sessions: dict[str, Session | None]) -> None:
    recent = lulu.store.approvals.last_answers(_RECENT)
    if not recent:
        return
    st.header("Recent requests", anchor=False)
    with st.container(key="answered", gap="small"):
        for approval in recent:
            if approval.session_id not in sessions:
                sessions[approval.session_id] = _session(lulu, approval.session_id)
            session = sessions[approval.session_id]
            if session is not None:
                _show_answer(approval, session)


def _show_answer(approval: Approval, session: Session) -> None:
    by_person = approval.status in ("approved", "denied") and approval.decided_by
    with st.container(key=f"answered_{approval.id}", gap=None):
        st.caption(
            formats.line(
                f"{_SAID.get(approval.status, safe_label(approval.status))}"
                + (f" by **{safe_label(approval.decided_by or '')}**" if by_person else ""),
                _asked(approval),
                formats.clock(approval.decided_at) if approval.decided_at else "",
                f"“{safe_label(approval.message, 200)}”" if approval.message else "",
            )
        )
        _link(session)


def _asked(approval: Approval) -> str:
    """Return a request in one line: the question, "had a plan", or the tool with its first argument."""
    if asked := questions.read(approval.tool_input) if approval.tool_name == questions.TOOL else []:
        return f"asked you: {safe_label(asked[0].text, 80)}"
    if approval.tool_name == elicitation.TOOL:
        server = elicitation.read(approval.tool_input)
        return f"{safe_label(server.server)} asked you: {safe_label(server.message, 80)}"
    if approval.tool_name in (questions.TOOL, plans.TOOL):
        return "asked you" if approval.tool_name == questions.TOOL else "had a plan"
    values = [value for value in approval.tool_input.values() if isinstance(value, str) and value.strip()]
    shown = formats.code(values[0], 80) if values else ""
    return f"{safe_label(approval.tool_name)} {shown}".strip()


def _show_more() -> None:
    state().requests_shown += INBOX_STEP
