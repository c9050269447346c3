"""A question of an MCP server as a form: a field for each value, or an address to open."""

from __future__ import annotations

import json
from collections.abc import Mapping

import streamlit as st

from lulu.agent import ELICITATION
from lulu.model import elicitations
from lulu.model.elicitations import Elicitation, Field
from lulu.store import Approval
from lulu.text.labels import safe_label, safe_markdown
from lulu.transcript.citations import address
from lulu.ui import alerts, formats
from lulu.ui.approvals import decide as answering
from lulu.ui.content import blocks
from lulu.ui.page_context import PageContext
from lulu.ui.state import is_on, picked, typed

TOOL = ELICITATION
#: Characters of a title or a description that are drawn.
_LIMIT = 2_000
#: Most fields that are drawn. With more choices than the second number, a list with a search replaces radio buttons.
_MOST_FIELDS, _MOST_CHOICES = 50, 12


def read(tool_input: Mapping[str, object]) -> Elicitation:
    """Return the question of a request."""
    return elicitations.read(tool_input)


def show(asked: Elicitation) -> None:
    """Draw the question and its fields, read-only."""
    _show_question(asked)
    for field in asked.fields[:_MOST_FIELDS]:
        st.markdown(f"- {safe_label(field.title, _LIMIT)} :gray[{safe_label(field.description, _LIMIT)}]")
    _tell_left_out(asked)


def _show_question(asked: Elicitation) -> None:
    blocks.question(asked.message)
    if asked.url:
        _show_address(asked.url)


def _tell_left_out(asked: Elicitation) -> bool:
    """Draw how many fields are left out. Returns whether the form can be answered without them."""
    left_out = asked.fields[_MOST_FIELDS:]
    if left_out:
        st.caption(f":orange[{formats.plural(len(left_out), 'more field')} cannot be shown here, and stay empty.]")
    is_whole = not any(field.is_required for field in left_out)
    if not is_whole:
        st.caption("The server wants some of them, so this form can only be declined.")
    return is_whole


def show_form(page: PageContext, approval: Approval, asked: Elicitation) -> None:
    """Draw the form, for the owner."""
    st.caption(f"The MCP server {formats.code(asked.server)} asks. It reads what you answer; tell it no password.")
    with st.form(key=f"elicitation_{approval.id}", border=False):
        _show_question(asked)
        for number, field in enumerate(asked.fields[:_MOST_FIELDS]):
            _show_field(field, _key(approval, number))
        is_whole = _tell_left_out(asked)
        with st.container(horizontal=True):
            st.form_submit_button(
                "I have opened it" if asked.url else "Answer",
                key=f"answer_{approval.id}",
                type="primary",
                icon=":material/send:",
                disabled=not is_whole,
                on_click=_answer,
                args=(page, approval, asked),
            )
            for action in ("decline", "cancel"):
                st.form_submit_button(
                    action.capitalize(),
                    key=f"{action}_{approval.id}",
                    help=_MEANS[action],
                    on_click=_refuse,
                    args=(page, approval, action),
                )
    alerts.show_problem(answering.form_place(approval.id))


_MEANS = {"decline": "Tells the server no.", "cancel": "Tells the server that you have not decided."}


def show_answered(asked: Elicitation, answer: Mapping[str, object]) -> None:
    """Draw the question with its answer."""
    _show_question(asked)
    content, action = answer.get("content"), answer.get("action")
    said = content if isinstance(content, Mapping) else {}
    titles = {field.name: field.title for field in asked.fields}
    labels = {field.name: dict(field.options) for field in asked.fields}
    lines = [
        f":green[:material/check_circle:] {safe_label(titles.get(name, str(name)), _LIMIT)}: "
        f"**{safe_label(_in_words(value, labels.get(str(name), {})), _LIMIT)}**"
        for name, value in said.items()
    ]
    words = {"accept": "Accepted", "decline": "Declined", "cancel": "Cancelled"}.get(str(action), "Not answered")
    st.markdown("  \n".join(lines) or f":gray[{words}]")


def _in_words(value: object, labels: Mapping[str, str]) -> str:
    """Return an answer as the person saw it: labels for choices, yes and no, JSON for the rest."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return labels.get(value, value)
        case list():
            return ", ".join(_in_words(one, labels) for one in value) or "none"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _show_address(url: str) -> None:
    link = address(url)
    st.markdown(safe_markdown(f"[Open the page]({link})") if link else ":orange[This address cannot be opened here.]")
    st.caption(f"It leads to {formats.code(url, 400)}. Look at the host before you open it.")


def _show_field(field: Field, key: str) -> None:
    label = safe_label(field.title, _LIMIT) + ("" if field.is_required else " (may be left out)")
    about = safe_label(field.description, _LIMIT)
    labels = [safe_label(name, _LIMIT) for _, name in field.options]
    chosen = field.default if isinstance(field.default, list) else [field.default]
    preset = [place for place, (value, _) in enumerate(field.options) if value in chosen]
    match field.kind:
        case "boolean":
            st.checkbox(label, value=field.default is True, key=key)
        case "choice":
            places, first = range(len(labels)), preset[0] if preset else None
            if len(labels) > _MOST_CHOICES:
                st.selectbox(label, places, index=first, format_func=lambda place: labels[place], key=key)
            else:
                st.radio(label, places, index=first, format_func=lambda place: labels[place], key=key)
        case "choices":
            st.multiselect(label, range(len(labels)), default=preset, format_func=lambda place: labels[place], key=key)
        case _:
            default = elicitations.default_text(field)
            # A field of one line would drop all other lines.
            text = st.text_area if "\n" in default or "\r" in default else st.text_input
            text(label, value=default, key=key, placeholder=_EXAMPLES.get(field.format or field.kind))
    if about:
        st.caption(about)


_EXAMPLES = {
    "email": "name@example.org",
    "uri": "https://…",
    "date": "2026-11-30",
    "date-time": "2026-11-30T12:00:00Z",
    "json": "JSON",
}


def _said(field: Field, key: str) -> object:
    match field.kind:
        case "boolean":
            return is_on(key)
        case "choice":
            place = picked(key)
            return field.options[place][0] if isinstance(place, int) else None
        case "choices":
            places = picked(key)
            return [field.options[place][0] for place in places] if isinstance(places, list) else []
        case _:
            return typed(key)


def _answer(page: PageContext, approval: Approval, asked: Elicitation) -> None:
    content: dict[str, object] = {}

    def read_fields() -> None:
        for number, field in enumerate(asked.fields[:_MOST_FIELDS]):
            value = elicitations.value_of(field, _said(field, _key(approval, number)))
            if value is not None:
                content[field.name] = value

    def decide() -> None:
        page.lulu.store.approvals.decide(
            page.actor, approval.id, approve=True, updated_input={**approval.tool_input, "content": content}
        )

    if alerts.attempt(answering.form_place(approval.id), read_fields):
        alerts.attempt(answering.place(approval.session_id), decide)


def _refuse(page: PageContext, approval: Approval, action: str) -> None:
    answering.answer(page, approval, approve=False, updated_input={**approval.tool_input, "action": action})


def _key(approval: Approval, number: int) -> str:
    return f"elicited_{approval.id}_{number}"
