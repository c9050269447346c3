"""Drafts: prompts that are kept for later with their settings, to be edited, started or deleted."""

from __future__ import annotations

import streamlit as st

from lulu.model.actors import Role
from lulu.model.commands import Delete, SaveDraft, StartSession
from lulu.model.sessions import Session, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.store import Show
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, launch_options, navigation
from lulu.ui.approvals import folder_trust
from lulu.ui.page_context import PageContext
from lulu.ui.state import HOME, is_on, state, typed

#: Drafts that Home lists.
_LISTED = 20


def show_list(lulu: Runtime) -> None:
    """Draw links to the drafts, newest first."""
    found = lulu.store.sessions.latest(limit=_LISTED, show=Show(status=SessionStatus.DRAFT.value))
    if not found:
        return
    st.header("Drafts", anchor=False)
    with st.container(key="drafts", gap=None):
        for draft in found:
            details = formats.line(formats.folder(draft.working_directory), formats.age(draft.created_at))
            st.page_link(
                navigation.session(),
                label=f"{safe_label(draft.name)} :small[:gray[{details}]]",
                icon=":material/edit_note:",
                query_params={"id": draft.id},
            )


def show(page: PageContext, draft: Session) -> None:
    """Draw the page of one draft."""
    if page.actor.role is not Role.OWNER:
        st.markdown("This is a draft; nothing was started yet.")
        return
    navigation.follow()
    alerts.show_problem(_place(draft.id))
    st.text_area("Prompt", value=draft.prompt, key=_prompt_key(draft.id), height=180)
    _show_files(page, draft)
    launch_options.show(page.lulu, draft)
    if not folder_trust.show_start(page, draft=draft.id):
        folder_trust.show_folder(page.lulu, page.lulu.agent.kind, launch_options.folder(page.lulu, draft))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Start",
            key=f"launch_{draft.id}",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_launch,
            args=(page, draft),
        )
        st.button(
            "Save",
            key=f"save_{draft.id}",
            icon=":material/save:",
            on_click=_save,
            args=(page, draft),
        )
        sure = f"discard_sure_{draft.id}"
        st.toggle("Delete", key=sure)
        if is_on(sure):
            st.button(
                "Delete for good",
                key=f"discard_{draft.id}",
                icon=":material/delete_forever:",
                on_click=_discard,
                args=(page, draft.id),
            )


def _show_files(page: PageContext, draft: Session) -> None:
    for file_id, file in page.lulu.store.commands.files_of(draft.id).items():
        with st.container(horizontal=True, vertical_alignment="center", key=f"draft_file_{file_id}", gap="small"):
            st.caption(
                f":material/attach_file: {safe_label(file.name)} :gray[{formats.size(len(file.content))}]",
                width="content",
            )
            st.button(
                "Remove",
                key=f"remove_file_{file_id}",
                type="tertiary",
                icon=":material/close:",
                on_click=_save,
                args=(page, draft, file_id),
            )


def _launch(page: PageContext, draft: Session) -> None:
    def launch() -> None:
        wanted = launch_options.read(page.lulu, typed(_prompt_key(draft.id)), draft)
        folder_trust.start(page.lulu, StartSession(actor=page.actor, session_id=draft.id, launch=wanted), is_draft=True)

    alerts.attempt(_place(draft.id), launch)


def _save(page: PageContext, draft: Session, without: int | None = None) -> None:
    def save() -> None:
        wanted = launch_options.read(page.lulu, typed(_prompt_key(draft.id)), draft)
        page.lulu.store.commands.submit(
            SaveDraft(actor=page.actor, session_id=draft.id, launch=wanted, without=without)
        )

    if alerts.attempt(_place(draft.id), save):
        st.toast("The draft is saved.", icon=":material/save:")


def _discard(page: PageContext, draft_id: SessionId) -> None:
    command = Delete(actor=page.actor, session_id=draft_id)
    if alerts.attempt(_place(draft_id), lambda: page.lulu.store.commands.submit(command)):
        state().leave_for = HOME


def _prompt_key(draft_id: str) -> str:
    return f"prompt_{draft_id}"


def _place(draft_id: str) -> str:
    return f"draft_{draft_id}"
