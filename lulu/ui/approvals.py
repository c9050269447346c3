"""Requests of agents, and the two answers. The whole input is shown, as code; the first answer wins."""

from __future__ import annotations

import streamlit as st

from lulu.actors import Actor, Role
from lulu.runtime import Runtime
from lulu.sessions import Session
from lulu.store import Approval
from lulu.ui import blocks, notices, tools, wording
from lulu.ui.state import typed
from lulu.ui.text import safe_label

#: A longer input scrolls inside its block (pixels), so that the buttons stay in reach.
_HEIGHT = 320
_LINES_BEFORE_SCROLL = 14
#: Their input is shown as a diff.
EDITING_TOOLS = frozenset({"Edit", "MultiEdit", "Write", "NotebookEdit"})


def show_pending(lulu: Runtime, actor: Actor, session: Session) -> None:
    """Draw every open request of a session."""
    notices.show_problem(_where(session.id))
    for approval in lulu.store.approvals(session.id):
        show(lulu, actor, approval, session)


def show(lulu: Runtime, actor: Actor, approval: Approval, session: Session) -> None:
    """Draw one open request, with its answers for the owner."""
    with st.container(border=True, key=f"approval_{approval.id}"):
        who = "A sub-agent" if approval.agent_id else "The agent"
        st.markdown(f"**:blue[{who} asks to use {safe_label(approval.tool_name)}]**")
        _show_input(approval)
        st.caption(
            wording.line(
                safe_label(approval.reason or "", 400),
                f"in {wording.code(session.working_directory)}" if session.working_directory else "",
                f"since {wording.clock(approval.created_at)}",
            )
        )
        if actor.role is Role.OWNER:
            _show_answers(lulu, actor, approval)


def _show_input(approval: Approval) -> None:
    """The whole input: as its tool shows it, and whatever that leaves out as JSON."""
    arguments = rest = approval.tool_input
    if approval.tool_name == "Bash" and isinstance(arguments.get("command"), str):
        _show_block(arguments["command"], f"command_{approval.id}", "bash")
        rest = {name: value for name, value in arguments.items() if name != "command"}
    elif approval.tool_name in EDITING_TOOLS:
        # Every line that the tool would replace or write: a person answers for all of it.
        _show_block("\n".join(tools.change_in(arguments, context=10**9)), f"change_{approval.id}", "diff")
        rest = tools.beside_the_change(arguments)
    if rest or not arguments:
        _show_block(tools.as_json(rest), f"asked_{approval.id}", "json")


def _show_block(text: str, key: str, language: str) -> None:
    height = _HEIGHT if text.count("\n") > _LINES_BEFORE_SCROLL else None
    blocks.code(text, key=key, language=language, height=height, limit=blocks.MOST)


def _show_answers(lulu: Runtime, actor: Actor, approval: Approval) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Approve",
            key=f"approve_{approval.id}",
            type="primary",
            icon=":material/check:",
            on_click=_answer,
            args=(lulu, actor, approval, True),
        )
        st.button(
            "Deny",
            key=f"deny_{approval.id}",
            icon=":material/close:",
            on_click=_answer,
            args=(lulu, actor, approval, False),
        )
        st.text_input(
            "Reason for the agent",
            key=_reason_key(approval.id),
            placeholder="Why not? The agent reads this (optional)",
            label_visibility="collapsed",
        )


def _answer(lulu: Runtime, actor: Actor, approval: Approval, approve: bool) -> None:
    message = None if approve else typed(_reason_key(approval.id)).strip() or None
    notices.attempt(
        _where(approval.session_id),
        lambda: lulu.store.decide(actor, approval.id, approve=approve, message=message),
    )


def _where(session_id: str) -> str:
    # Not beside the request: when somebody else was first, that is gone.
    return f"approvals_{session_id}"


def _reason_key(approval_id: str) -> str:
    return f"reason_{approval_id}"
