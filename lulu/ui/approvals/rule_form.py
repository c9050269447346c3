"""The form behind "Approve and don't ask again": shows a rule and its effect, for editing."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lulu import rules
from lulu.errors import InputError
from lulu.model.commands import AddRule
from lulu.model.sessions import Session, SessionId
from lulu.rules import Rule, ToolCall
from lulu.runtime import Runtime
from lulu.store import Approval
from lulu.text.labels import safe_label
from lulu.ui import formats
from lulu.ui.approvals import decide
from lulu.ui.page_context import PageContext
from lulu.ui.state import picked, put_back, typed

SESSION, FOLDER, EVERYWHERE = "session", "folder", "everywhere"
_SCOPES = {SESSION: "This session", FOLDER: "This folder and below", EVERYWHERE: "Everywhere"}


def call_of(lulu: Runtime, approval: Approval, session: Session) -> ToolCall:
    """Return the request as the call that rules are matched against."""
    return ToolCall(
        tool_name=approval.tool_name,
        tool_input=approval.tool_input,
        session_id=session.id,
        folder=session.working_directory or str(lulu.settings.working_directory),
        home=str(Path.home()),
    )


def show(page: PageContext, approval: Approval, session: Session) -> None:
    """Draw the expander with the rule, its scope, and its effect on this request."""
    opened = st.expander(
        "Approve and don't ask again",
        key=f"remember_{approval.id}",
        icon=":material/done_all:",
        type="compact",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        call = call_of(page.lulu, approval, session)
        _show_rule(approval, call)
        st.radio(
            "Applies to",
            list(_SCOPES),
            format_func=lambda scope: _SCOPES[scope],
            key=_scope_key(approval.id),
            horizontal=True,
        )
        if picked(_scope_key(approval.id)) == FOLDER:
            st.caption(f"{formats.code(call.folder, 400)} and the folders in it")
        st.button(
            "Approve and make this rule",
            key=f"approve_always_{approval.id}",
            type="primary",
            disabled=not typed(_rule_key(approval.id)).strip(),
            on_click=_approve,
            args=(page, approval, call),
        )


def _show_rule(approval: Approval, call: ToolCall) -> None:
    offers = rules.suggest(call)
    key = _rule_key(approval.id)
    st.text_input("Rule", value=offers[0] if offers else "", key=key, placeholder="For example Bash(git status *)")
    if not offers:
        st.caption("No safe rule to suggest. You can write one.")
    others = [offer for offer in offers if offer != typed(key)]
    for place, offer in enumerate(others):
        st.button(
            f"Use {formats.code(offer)}",
            key=f"offer_{approval.id}_{place}",
            type="tertiary",
            on_click=put_back,
            args=(key, offer),
        )
    if typed(key).strip():
        st.caption(_what_it_does(typed(key).strip(), call))


def _what_it_does(pattern: str, call: ToolCall) -> str:
    try:
        rules.parse(pattern)
    except InputError as exc:
        return f":orange[{safe_label(f'{exc.happened} {exc.next_step}', 300)}]"
    explained = rules.explain([Rule(id=None, tool_pattern=pattern, action="approve")], call)
    if explained.verdict is not None:
        return f":green[Covers this request.] {safe_label(explained.why, 300)}"
    why = explained.judged[0].why if explained.judged else explained.why
    return f":orange[Doesn't cover this request: you would be asked again.] {safe_label(why, 300)}"


def _approve(page: PageContext, approval: Approval, call: ToolCall) -> None:
    scope = picked(_scope_key(approval.id))
    rule = AddRule(
        actor=page.actor,
        session_id=_session_of(approval, scope),
        folder=call.folder if scope == FOLDER else None,
        tool_pattern=typed(_rule_key(approval.id)).strip(),
        action="approve",
    )
    decide.answer(page, approval, approve=True, rule=rule)


def _session_of(approval: Approval, scope: object) -> SessionId | None:
    # Any value that is not one of these is the narrowest scope.
    return None if scope in (FOLDER, EVERYWHERE) else SessionId(approval.session_id)


def _rule_key(approval_id: str) -> str:
    return f"rule_{approval_id}"


def _scope_key(approval_id: str) -> str:
    return f"scope_{approval_id}"
