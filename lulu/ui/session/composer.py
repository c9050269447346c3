"""The prompt box of a session, and below it mode, model and slash commands for the next prompt."""

from __future__ import annotations

import streamlit as st

from lulu.model.actors import Role
from lulu.model.commands import Command, SendPrompt, SetModel, SetPermissionMode
from lulu.model.events import System
from lulu.model.sessions import Session, SessionId
from lulu.model.validation import BYPASS
from lulu.runtime import Runtime
from lulu.store import row_topic
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, identity
from lulu.ui.browser import unsent
from lulu.ui.browser.doorbell import bell
from lulu.ui.content import attachments
from lulu.ui.launch_options import DEFAULT_MODEL, MODEL_ALIASES
from lulu.ui.page_context import PageContext
from lulu.ui.session import checklist, retry
from lulu.ui.state import placeholder, put_back, state, typed
from lulu.ui.styles import COMPOSER, PROMPT
from lulu.ui.transcript.system_events import STARTED_WITH

#: Slash commands that the menu draws; it says how many more there are.
_COMMANDS = 60
#: Commands that only work in a terminal: they answer "not available" here (measured with CLI 2.1.330).
_OF_TERMINALS = frozenset({"agents", "auto-mode-setup", "fast", "focus", "help", "workflow-launch-exec"})


def show(page: PageContext, session: Session, *, has_checklist: bool) -> None:
    """Draw the checklist, the prompt box, the last refusal and the controls."""
    retry.put_back_refused(page.lulu, session)
    if to_type := state().to_type:
        put_back(PROMPT, to_type)
        state().to_type = None
    with st.bottom:
        if has_checklist:
            checklist.show(page.lulu, session.id)
        alerts.show_problem(PROMPT)
        # Inside ``st.bottom``: a chat input that places itself there makes Streamlit scroll the page.
        with unsent.box(session.id):
            st.chat_input(
                placeholder("Continue the conversation"),
                key=PROMPT,
                accept_file="multiple",
                max_upload_size=attachments.MAX_MEGABYTES,
                on_submit=_send,
                args=(page, session.id),
            )
        _controls(page, session.id)


def _send(page: PageContext, session_id: SessionId) -> None:
    text, files = attachments.sent(PROMPT)
    command = SendPrompt(actor=page.actor, session_id=session_id, text=text, attachments=files)
    if not alerts.attempt(PROMPT, lambda: page.lulu.store.commands.submit(command)) and text.strip():
        # A blank prompt is not put back: a person may already be typing another one.
        put_back(PROMPT, text)


@st.fragment
@alerts.told
@identity.owner_only
def _controls(page: PageContext, session_id: SessionId) -> None:
    """Draw mode, model, slash commands and folder. They are renewed when the session's row changes."""
    with st.container(key=COMPOSER, horizontal=True, vertical_alignment="center", gap="small"):
        topic = row_topic(session_id)
        bell(topic, seen=page.lulu.store.bus.version(topic), key=f"composer_{session_id}")
        session = page.lulu.store.sessions.get(session_id)
        if page.actor.role is Role.OWNER:
            _show_modes(page, session)
            _show_models(page, session)
            _show_commands(page.lulu, session_id)
        if session.working_directory:
            st.caption(formats.code(session.working_directory))
    alerts.show_problem(_place(session_id))


def _show_modes(page: PageContext, session: Session) -> None:
    now = session.permission_mode or "default"
    menu = st.popover(
        formats.mode(now), key="mode_menu", type="tertiary", icon=":material/shield_person:", on_change="rerun"
    )
    if not menu.open:
        return
    with menu:
        st.caption("What the agent may do without asking. Takes effect now.")
        modes = modes_for(page.lulu, session)
        for mode in modes:
            st.button(
                formats.mode(mode),
                key=f"set_mode_{mode}",
                type="tertiary",
                icon=":material/check:" if mode == now else ":material/radio_button_unchecked:",
                on_click=_submit,
                args=(page.lulu, SetPermissionMode(actor=page.actor, session_id=session.id, mode=mode)),
            )
        if BYPASS not in modes:
            st.caption("Bypass is only available in sessions started with it.")


def modes_for(lulu: Runtime, session: Session) -> list[str]:
    """Return the permission modes that a session can be changed to."""
    return [mode for mode in formats.MODES if mode != BYPASS or lulu.store.sessions.may_bypass(session.id)]


def _show_models(page: PageContext, session: Session) -> None:
    label = safe_label(session.model or DEFAULT_MODEL)
    menu = st.popover(label, key="model_menu", type="tertiary", icon=":material/neurology:", on_change="rerun")
    if not menu.open:
        return
    with menu:
        names = (DEFAULT_MODEL, *MODEL_ALIASES)
        # A model without an alias is listed first, so that one row of the menu is always the current model.
        for name in names if (session.model or DEFAULT_MODEL) in names else (str(session.model), *names):
            model = None if name == DEFAULT_MODEL else name
            st.button(
                safe_label(name),
                key=f"set_model_{name}",
                type="tertiary",
                icon=":material/check:" if model == session.model else ":material/radio_button_unchecked:",
                on_click=_submit,
                args=(page.lulu, SetModel(actor=page.actor, session_id=session.id, model=model)),
            )
        st.text_input(
            "Another model",
            key="another_model",
            placeholder="Other model (full name)",
            label_visibility="collapsed",
            on_change=_set_typed_model,
            args=(page, session.id),
        )


def _set_typed_model(page: PageContext, session_id: SessionId) -> None:
    if name := typed("another_model").strip():
        _submit(page.lulu, SetModel(actor=page.actor, session_id=session_id, model=name))
        put_back("another_model", "")


def _show_commands(lulu: Runtime, session_id: SessionId) -> None:
    menu = st.popover("/", key="slash_menu", type="tertiary", help="Slash commands", on_change="rerun")
    if not menu.open:
        return
    with menu:
        names = slash_commands(lulu, session_id)
        if not names:
            st.caption("Commands appear after the first answer. Or type one, such as /compact.")
        with st.container(horizontal=True, gap="small", key="slash_commands"):
            for name in names[:_COMMANDS]:
                st.button(
                    f"/{safe_label(name)}",
                    key=f"slash_{name}",
                    type="tertiary",
                    on_click=_type_command,
                    args=(name,),
                )
        if more := len(names[_COMMANDS:]):
            st.caption(f"{more} more: type / and the name.")
        if state().to_type:
            st.rerun()


def _type_command(name: str) -> None:
    state().to_type = f"/{name} "


def slash_commands(lulu: Runtime, session_id: SessionId) -> list[str]:
    """Return the commands that the agent reported last, without those for terminals."""
    told = [lulu.store.events.last(session_id, System.type, subtype=subtype) for subtype in STARTED_WITH]
    for stored in sorted(filter(None, told), key=lambda one: one.id, reverse=True):
        data = stored.event.data if isinstance(stored.event, System) else None
        names = (data or {}).get("slash_commands")
        if isinstance(names, list):
            known = dict.fromkeys(name for name in names if isinstance(name, str) and not name.startswith("_"))
            return [name for name in known if name not in _OF_TERMINALS]
    return []


def _submit(lulu: Runtime, command: Command) -> None:
    if command.session_id is not None:
        alerts.attempt(_place(command.session_id), lambda: lulu.store.commands.submit(command))


def _place(session_id: SessionId) -> str:
    return f"composer_{session_id}"
