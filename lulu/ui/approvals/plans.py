"""An agent's plan (ExitPlanMode): drawn as markdown, with buttons to approve it or to send it back."""

from __future__ import annotations

import streamlit as st

from lulu.model.events import ToolUse
from lulu.runtime import Runtime
from lulu.store import Approval
from lulu.text.labels import safe_markdown
from lulu.ui.approvals import decide
from lulu.ui.content import blocks
from lulu.ui.page_context import PageContext
from lulu.ui.state import typed

TOOL = "ExitPlanMode"
#: Events before the request that are searched for the plan.
_LOOK_BACK = 60
#: The message to the agent if the person gives no reason.
KEEP_PLANNING = "Keep planning; do not start yet. Ask what should be different."


def show(lulu: Runtime, approval: Approval) -> None:
    """Draw the plan of a request."""
    plan = text_of(lulu, approval)
    if plan:
        show_text(plan, key=approval.id)
    else:
        st.caption("The agent did not send its plan along; what it wrote stands above.")


def show_text(plan: str, *, key: str) -> None:
    """Draw the text of a plan; ``key`` is unique on the page."""
    with blocks.scrolling(f"plan_{key}"):
        st.markdown(safe_markdown(blocks.shown_part(plan, key=f"plan_{key}")))


def text_of(lulu: Runtime, approval: Approval) -> str:
    """Return the plan of a request, else the last markdown file that was written; empty if there is none."""
    plan = approval.tool_input.get("plan")
    if isinstance(plan, str) and plan.strip():
        return plan
    for stored in reversed(lulu.store.events.of_session(approval.session_id, limit=_LOOK_BACK)):
        if isinstance(stored.event, ToolUse) and stored.event.name == "Write":
            path, content = (stored.event.input.get(name) for name in ("file_path", "content"))
            if isinstance(path, str) and path.endswith(".md") and isinstance(content, str):
                return content
    return ""


def show_answers(page: PageContext, approval: Approval) -> None:
    """Draw the three answers, for the owner."""
    with st.container(horizontal=True):
        st.button(
            "Approve",
            key=f"approve_{approval.id}",
            type="primary",
            icon=":material/check:",
            help="The agent starts, and asks before each change.",
            on_click=_approve,
            args=(page, approval),
        )
        st.button(
            "Approve and accept edits",
            key=f"approve_edits_{approval.id}",
            icon=":material/done_all:",
            help="The agent starts, and changes files without asking.",
            on_click=_approve_edits,
            args=(page, approval),
        )
        st.button(
            "Keep planning",
            key=f"deny_{approval.id}",
            icon=":material/edit_note:",
            on_click=_keep_planning,
            args=(page, approval),
        )
    st.text_area(
        "What should be different",
        key=f"reason_{approval.id}",
        placeholder="To keep planning: what should be different? (optional)",
        label_visibility="collapsed",
        height=68,
    )


def _approve(page: PageContext, approval: Approval) -> None:
    decide.answer(page, approval, approve=True)


def _approve_edits(page: PageContext, approval: Approval) -> None:
    decide.answer(page, approval, approve=True, mode="acceptEdits")


def _keep_planning(page: PageContext, approval: Approval) -> None:
    feedback = typed(f"reason_{approval.id}").strip()
    decide.answer(page, approval, approve=False, message=feedback or KEEP_PLANNING)
