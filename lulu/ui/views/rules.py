"""The section "Rules" of the Settings page: the list, a form for a new rule, and a tester."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import streamlit as st

from lulu import rules
from lulu.errors import InputError, SessionNotFound
from lulu.model.commands import AddRule, Command, DeleteRule, SwitchRule
from lulu.model.validation import checked_folder
from lulu.rules import Explanation, Rule, ToolCall
from lulu.runtime import Runtime
from lulu.store import RULES
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, identity
from lulu.ui.approvals import tool_input as requested
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext
from lulu.ui.state import picked, put_back, typed

_PLACE = "rules"
_ALL = "All folders"
#: Tools of the tester, and the argument for plain text.
_ARGUMENTS = {
    "Bash": "command",
    "Read": "file_path",
    "Edit": "file_path",
    "Write": "file_path",
    "Grep": "pattern",
    "WebFetch": "url",
    "WebSearch": "query",
}


@st.fragment
@alerts.told
@identity.owner_only
def show(page: PageContext) -> None:
    """Draw the section. It is renewed when a rule changes."""
    bell(RULES, seen=page.lulu.store.bus.version(RULES), key="rules")
    st.header("Rules", anchor=False)
    st.caption(
        "Rules approve or deny without asking you. A deny rule always wins, in every mode. "
        "Lulu never changes Claude Code's own settings."
    )
    st.caption(
        "A deny rule is no wall: it reads commands as they are written. It cannot stop what a program is told by a "
        "file or another program (`python -c …`, `make`, a script), nor what a search through a whole folder comes by."
    )
    alerts.show_problem(_PLACE)
    found = page.lulu.store.approvals.rules()
    with st.container(key="rules", gap="small"):
        for rule in found:
            _show_rule(page, rule)
    if not found:
        st.caption("No rules yet: everything that Claude Code would ask about is asked.")
    _show_form(page)
    _show_tester(page.lulu, found)


def _show_rule(page: PageContext, rule: Rule) -> None:
    if rule.id is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"rule_row_{rule.id}"):
        # The state is part of the key: after another person's change the switch shows that.
        st.toggle(
            "On",
            value=rule.enabled,
            key=f"rule_on_{rule.id}_{rule.enabled}",
            label_visibility="collapsed",
            on_change=_submit,
            args=(page.lulu, SwitchRule(actor=page.actor, rule_id=rule.id, enabled=not rule.enabled)),
        )
        word = ":green[Approve]" if rule.action == "approve" else ":red[Deny]"
        scope = f":small[:gray[{_scope(page.lulu, rule)}]]"
        st.markdown(f"{word} {formats.code(rule.tool_pattern, 400)}  \n{scope}{_narrowed(rule)}")
        st.button(
            "Delete",
            key=f"delete_rule_{rule.id}",
            type="tertiary",
            icon=":material/delete:",
            on_click=_submit,
            args=(page.lulu, DeleteRule(actor=page.actor, rule_id=rule.id)),
        )


def _narrowed(rule: Rule) -> str:
    note = rules.narrowing(rule)
    return f"  \n:small[:orange[{safe_label(note, 200)}]]" if note else ""


def _scope(lulu: Runtime, rule: Rule) -> str:
    where = "everywhere"
    if rule.session_id is not None:
        try:
            where = f"in the session “{safe_label(lulu.store.sessions.get(rule.session_id).name)}”"
        except SessionNotFound:
            where = "in a session that was deleted"
    elif rule.folder is not None:
        where = f"in {formats.code(rule.folder, 400)}"
    return formats.line(where, f"by {safe_label(rule.created_by)}" if rule.created_by else "")


def _show_form(page: PageContext) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="new_rule"):
        st.text_input("New rule", key="rule_pattern", placeholder="For example Bash(git diff *)")
        st.selectbox("Then", ["approve", "deny"], key="rule_action", width=130)
        st.selectbox(
            "Where", [_ALL, *page.lulu.store.sessions.recent_folders()], key="rule_folder", accept_new_options=True
        )
        st.button("Add", key="add_rule", type="primary", on_click=_add, args=(page,))


def _add(page: PageContext) -> None:
    def add() -> None:
        folder = typed("rule_folder")
        command = AddRule(
            actor=page.actor,
            tool_pattern=typed("rule_pattern").strip(),
            action="approve" if picked("rule_action") == "approve" else "deny",
            folder=None if folder in ("", _ALL) else checked_folder(folder),
        )
        page.lulu.store.commands.submit(command)

    if alerts.attempt(_PLACE, add):
        put_back("rule_pattern", "")


def _submit(lulu: Runtime, command: Command) -> None:
    alerts.attempt(_PLACE, lambda: lulu.store.commands.submit(command))


# -- the tester ------------------------------------------------------------------------------------------------------


def _show_tester(lulu: Runtime, found: list[Rule]) -> None:
    st.markdown("**Test your rules**")
    with st.container(horizontal=True, key="rule_tester"):
        st.selectbox("Tool", list(_ARGUMENTS), key="try_tool", accept_new_options=True, width=160)
        st.selectbox(
            "In the folder",
            list(dict.fromkeys([str(lulu.settings.working_directory), *lulu.store.sessions.recent_folders()])),
            key="try_folder",
            accept_new_options=True,
        )
    st.text_area("Command, path or address (or the input as JSON)", key="try_input", height=80, placeholder="git diff")
    if not typed("try_input").strip():
        return
    try:
        call = call_typed(typed("try_tool"), typed("try_input"), typed("try_folder"))
    except InputError as exc:
        alerts.show(exc)
        return
    _show_explanation(rules.explain(found, call))


def call_typed(tool: str, text: str, folder: str) -> ToolCall:
    """Return the call that a person typed. Raises ``InputError`` if it cannot be read."""
    if text.lstrip().startswith("{"):
        tool_input = requested.parse(text)
        if isinstance(pasted := tool_input.get("name"), str) and isinstance(tool_input.get("input"), dict):
            # A whole tool_use, as the raw view of an event shows it.
            tool, tool_input = pasted, cast(dict[str, object], tool_input["input"])
    elif tool in _ARGUMENTS:
        tool_input = {_ARGUMENTS[tool]: text.strip()}
    else:
        raise InputError(f"{tool[:80]} takes its input as JSON.", next_step=f"Write {json.dumps({'name': 'value'})}.")
    return ToolCall(tool_name=tool, tool_input=tool_input, session_id=None, folder=folder, home=str(Path.home()))


def _show_explanation(explained: Explanation) -> None:
    verdict = explained.verdict
    word = ":blue[You would be asked.]"
    if verdict is not None:
        word = ":green[Approved.]" if verdict.action == "approve" else ":red[Denied.]"
    st.markdown(f"**{word}** {safe_label(explained.why, 400)}")
    for judged in explained.judged:
        mark = ":material/check:" if judged.matched else ":material/remove:"
        off = "" if judged.rule.enabled else " (off)"
        st.caption(f"{mark} {formats.code(judged.rule.tool_pattern, 200)}{off} · {safe_label(judged.why, 300)}")
