"""Requests of agents, and the two answers. The whole input is shown, as code; the first answer wins."""

from __future__ import annotations

import streamlit as st

from lulu.actors import Actor, Role
from lulu.events import Permission, ToolUse
from lulu.runtime import Runtime
from lulu.sessions import Session
from lulu.store import Approval
from lulu.transcript import ToolCall
from lulu.ui import blocks, notices, tools, wording
from lulu.ui.state import typed
from lulu.ui.text import safe_label

#: A longer input scrolls inside its block (pixels), so that the buttons stay in reach.
_HEIGHT = 320
_LINES_BEFORE_SCROLL = 14


def show_pending(lulu: Runtime, actor: Actor, session: Session) -> None:
    """Draw every open request of a session."""
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
        notices.show_problem(f"approval_{approval.id}")


def _show_input(approval: Approval) -> None:
    """The whole input: as its tool shows it, and whatever that leaves out as JSON."""
    command = approval.tool_input.get("command")
    if approval.tool_name == "Bash" and isinstance(command, str):
        _show_block(command, f"command_{approval.id}", "bash")
        rest = {name: value for name, value in approval.tool_input.items() if name != "command"}
        if rest:
            _show_block(tools.as_json(rest), f"rest_{approval.id}", "json")
        return
    if approval.tool_name in ("Edit", "MultiEdit", "Write", "NotebookEdit"):
        _show_block("\n".join(tools.change_of(as_call(approval))), f"diff_{approval.id}", "diff")
    _show_block(tools.as_json(approval.tool_input), f"input_{approval.id}", "json")


def _show_block(text: str, key: str, language: str) -> None:
    blocks.code(text, key=key, language=language, height=_HEIGHT if text.count("\n") > _LINES_BEFORE_SCROLL else None)


def as_call(approval: Approval) -> ToolCall:
    """The request as the tool call that it would become."""
    call_id = approval.tool_use_id or approval.id
    return ToolCall(
        id=call_id,
        events=(),
        use=ToolUse(id=call_id, name=approval.tool_name, input=approval.tool_input),
        result=None,
        permission=Permission(id=approval.id, tool_name=approval.tool_name, tool_input=approval.tool_input),
        decision=None,
        thread=(),
        used_at=approval.created_at,
        ended_at=None,
    )


def _show_answers(lulu: Runtime, actor: Actor, approval: Approval) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Approve",
            key=f"approve_{approval.id}",
            type="primary",
            icon=":material/check:",
            on_click=_answer,
            args=(lulu, actor, approval.id, True),
        )
        st.button(
            "Deny",
            key=f"deny_{approval.id}",
            icon=":material/close:",
            on_click=_answer,
            args=(lulu, actor, approval.id, False),
        )
        st.text_input(
            "Reason for the agent",
            key=_reason_key(approval.id),
            placeholder="Why not? The agent reads this (optional)",
            label_visibility="collapsed",
        )


def _answer(lulu: Runtime, actor: Actor, approval_id: str, approve: bool) -> None:
    message = None if approve else typed(_reason_key(approval_id)).strip() or None
    notices.attempt(
        f"approval_{approval_id}",
        lambda: lulu.store.decide(actor, approval_id, approve=approve, message=message),
    )


def _reason_key(approval_id: str) -> str:
    return f"reason_{approval_id}"
