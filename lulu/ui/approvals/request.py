"""Draws the requests of agents: whole input, reason, buttons. The first answer wins."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lulu.model.actors import Role
from lulu.model.claude_tools import EDITING, PRIMARY_FIELD
from lulu.model.events import User
from lulu.model.sessions import ENDED, Session, SessionId
from lulu.store import Approval
from lulu.text.labels import LABEL_LIMIT, one_line, safe_label
from lulu.ui import alerts, formats, navigation
from lulu.ui.approvals import decide, elicitation, interruptions, plans, questions, rule_form, tool_input
from lulu.ui.browser import keyboard
from lulu.ui.page_context import PageContext
from lulu.ui.state import typed

#: Characters of a request's heading: a name, and the words around it.
_WHAT_LIMIT = 2 * LABEL_LIMIT


def show_pending(page: PageContext, session: Session, asked: list[Approval]) -> None:
    """Draw a session's open requests, and its expired ones if it has ended."""
    alerts.show_problem(decide.place(session.id))
    for place, approval in enumerate(asked):
        show(page, approval, session, in_view=place == 0)
    if session.known_status in ENDED:
        show_expired(page, session)


def show(page: PageContext, approval: Approval, session: Session, *, in_view: bool = False) -> None:
    """Draw one open request, for the owner with its buttons. With ``in_view``, keys answer it, too."""
    with st.container(border=True, key=f"approval_{approval.id}"):
        st.markdown(f"**:blue[{safe_label(what(approval), _WHAT_LIMIT)}]**")
        asked = questions.read(approval.tool_input) if approval.tool_name == questions.TOOL else []
        if asked:
            _show_questions(page, approval, asked)
        elif approval.tool_name == elicitation.TOOL:
            _show_elicitation(page, approval)
        elif approval.tool_name == plans.TOOL:
            _show_plan(page, approval)
        else:
            _show_request(page, approval, session, in_view=in_view)


def show_briefly(page: PageContext, approval: Approval) -> None:
    """Draw an open request with Approve and Deny only, for a card. Forms get a link to the session."""
    st.markdown(f"**:blue[{safe_label(what(approval), _WHAT_LIMIT)}]**")
    if approval.tool_name in (questions.TOOL, plans.TOOL, elicitation.TOOL):
        st.page_link(
            navigation.session(),
            label="Answer",
            icon=":material/reply:",
            query_params={"id": approval.session_id},
        )
        return
    is_read = tool_input.show(approval)
    if page.actor.role is Role.OWNER:
        with st.container(horizontal=True):
            _show_yes_and_no(page, approval, is_read=is_read, in_view=False)


def what(approval: Approval) -> str:
    """Return a request's heading as plain text: the act and its object."""
    asked = _what(approval)
    return f"A sub-agent asks: {asked}" if approval.agent_id else asked


def _what(approval: Approval) -> str:
    match approval.tool_name:
        case questions.TOOL:
            count = len(questions.read(approval.tool_input))
            return f"{formats.plural(count, 'question') if count else 'A question'} for you"
        case elicitation.TOOL:
            return f"{one_line(elicitation.read(approval.tool_input).server)} asks you"
        case plans.TOOL:
            return "Plan to review"
        case "Bash":
            return "Run this command?"
    verb = _VERBS.get(approval.tool_name)
    named = verb and tool_input.name_of(approval.tool_input.get(PRIMARY_FIELD[approval.tool_name]))
    return f"{verb} {one_line(named)}?" if named else f"Use {one_line(approval.tool_name)}?"


#: The verb of a heading by tool, before the file or the address.
_VERBS = {**dict.fromkeys(EDITING, "Edit"), "Write": "Write", "Read": "Read", "WebFetch": "Fetch from"}


def _show_questions(page: PageContext, approval: Approval, asked: list[questions.Question]) -> None:
    if page.actor.role is Role.OWNER:
        questions.show_form(page, approval, asked)
    else:
        questions.show(approval, asked)


def _show_elicitation(page: PageContext, approval: Approval) -> None:
    asked = elicitation.read(approval.tool_input)
    if page.actor.role is Role.OWNER:
        elicitation.show_form(page, approval, asked)
    else:
        elicitation.show(asked)


def _show_plan(page: PageContext, approval: Approval) -> None:
    plans.show(page.lulu, approval)
    if page.actor.role is Role.OWNER:
        plans.show_answers(page, approval)


def _show_request(page: PageContext, approval: Approval, session: Session, *, in_view: bool) -> None:
    is_read = tool_input.show(approval)
    st.caption(
        formats.line(
            safe_label(approval.reason or "", 400),
            f"in {formats.code(session.working_directory)}" if session.working_directory else "",
            f"since {formats.clock(approval.created_at)}",
        )
    )
    if page.actor.role is Role.OWNER:
        _show_answers(page, approval, is_read=is_read, in_view=in_view)
        if is_read:
            rule_form.show(page, approval, session)
        _show_editor(page, approval)


def _show_answers(page: PageContext, approval: Approval, *, is_read: bool, in_view: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _show_yes_and_no(page, approval, is_read=is_read, in_view=in_view)
        st.button(
            "Deny and stop",
            key=f"deny_stop_{approval.id}",
            icon=":material/stop_circle:",
            help="The agent's turn ends; the session can go on.",
            on_click=_deny,
            args=(page, approval, True),
        )
        with st.popover("Deny with a reason", key=f"deny_more_{approval.id}"):
            st.text_input("Reason (sent to the agent)", key=_reason_key(approval.id), placeholder="What to do instead")
            st.button(
                "Deny",
                key=f"deny_reason_{approval.id}",
                type="primary",
                icon=":material/close:",
                on_click=_deny,
                args=(page, approval),
            )


def _show_yes_and_no(page: PageContext, approval: Approval, *, is_read: bool, in_view: bool) -> None:
    st.button(
        "Approve",
        key=f"approve_{approval.id}",
        type="primary",
        icon=":material/check:",
        shortcut=keyboard.APPROVE if in_view else None,
        disabled=not is_read,
        help=None if is_read else "Show all of it before you approve.",
        on_click=_approve,
        args=(page, approval),
    )
    st.button(
        "Deny",
        key=f"deny_{approval.id}",
        icon=":material/close:",
        shortcut=keyboard.DENY if in_view else None,
        on_click=_deny,
        args=(page, approval),
    )


def _show_editor(page: PageContext, approval: Approval) -> None:
    editor = st.expander(
        "Edit before approving",
        key=f"edit_{approval.id}",
        icon=":material/edit:",
        type="compact",
        on_change="rerun",
    )
    if not editor.open:
        return
    with editor:
        st.text_area(
            "Input, as JSON",
            value=tool_input.as_typed(approval.tool_input),
            key=_edited_key(approval.id),
            height=240,
        )
        st.caption("Your version runs, and the agent sees the change.")
        st.button(
            "Approve with this input",
            key=f"approve_edited_{approval.id}",
            type="primary",
            on_click=_approve_edited,
            args=(page, approval),
        )


def _approve(page: PageContext, approval: Approval) -> None:
    decide.answer(page, approval, approve=True)


def _deny(page: PageContext, approval: Approval, stop: bool = False) -> None:
    reason = typed(_reason_key(approval.id)).strip() or None
    decide.answer(page, approval, approve=False, message=reason, stop=stop)


def _approve_edited(page: PageContext, approval: Approval) -> None:
    decide.answer(page, approval, approve=True, edited=typed(_edited_key(approval.id)))


# -- expired requests ------------------------------------------------------------------------------------------------


def show_expired(page: PageContext, session: Session) -> bool:
    """Draw the requests that expired since the last prompt. Returns whether there are any."""
    last_prompt = page.lulu.store.events.last(session.id, User.type)
    expired = [
        approval
        for approval in page.lulu.store.approvals.find(session.id, status="expired")
        if last_prompt is None or approval.created_at >= last_prompt.created_at
    ]
    if not expired:
        return False
    with st.container(border=True, key=f"expired_{session.id}"):
        for approval in expired:
            said = safe_label(what(approval), _WHAT_LIMIT)
            st.markdown(f"**:orange[Expired when its agent ended: {said}]**")
            _show_what_was_asked(page, approval)
        st.caption("Nothing was run. Continue to let the agent ask again.")
        if page.actor.role is Role.OWNER:
            can_answer = any(approval.tool_name == questions.TOOL for approval in expired)
            interruptions.button(page, session, is_main=not can_answer)
    return True


def _show_what_was_asked(page: PageContext, approval: Approval) -> None:
    """Draw an expired request: a question as a form for the owner, a plan, or a tool's input."""
    asked = questions.read(approval.tool_input) if approval.tool_name == questions.TOOL else []
    if asked and page.actor.role is Role.OWNER:
        late = partial(interruptions.go_on_with, page, SessionId(approval.session_id))
        questions.show_form(page, approval, asked, late=late)
    elif asked:
        questions.show(approval, asked)
    elif approval.tool_name == elicitation.TOOL:
        elicitation.show(elicitation.read(approval.tool_input))
    elif approval.tool_name == plans.TOOL:
        plans.show(page.lulu, approval)
    else:
        tool_input.show(approval)


def _reason_key(approval_id: str) -> str:
    return f"reason_{approval_id}"


def _edited_key(approval_id: str) -> str:
    return f"edited_{approval_id}"
