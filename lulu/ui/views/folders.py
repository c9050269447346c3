"""The section "Folders" of the Settings page: known folders, their files, and their trust."""

from __future__ import annotations

import streamlit as st

from lulu.model.commands import Command, ForgetFolder, TrustFolder
from lulu.runtime import Runtime
from lulu.store import FOLDERS
from lulu.text.labels import safe_label
from lulu.trust import folder_files
from lulu.trust.answers import Answer, differences
from lulu.trust.folder_files import SILENT, Place
from lulu.ui import alerts, formats, identity
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext

_PLACE = "folders"
#: Folders of sessions that are listed, by last use. Folders with an answer are all listed.
_MOST = 50


@st.fragment
@alerts.told
@identity.owner_only
def show(page: PageContext) -> None:
    """Draw the section. It is renewed when an answer is given or deleted."""
    bell(FOLDERS, seen=page.lulu.store.bus.version(FOLDERS), key="folders")
    st.header("Folders", anchor=False)
    st.caption(
        "What a folder brings (.claude, .mcp.json), its own or from a folder above it, acts only where you trust it as "
        "it is now. Elsewhere your own settings apply; CLAUDE.md is read everywhere."
    )
    alerts.show_problem(_PLACE)
    answers = page.lulu.store.folders.answers()
    found = [folder_files.inspect(folder, ["project"]) for folder in page.lulu.store.sessions.recent_folders(_MOST)]
    brought = {place.folder: place for one in found for place in one.places}
    known = [one.folders[0] for one in found if one.folders]
    with st.container(key="folders", gap="small"):
        for number, folder in enumerate(dict.fromkeys([*answers, *brought, *known])):
            place = brought.get(folder) or _place_of(folder)
            _show_folder(page, number, folder, place, answers.get(folder))
    if not (answers or known):
        st.caption("No folders yet: each stands here from its first session on.")


def _place_of(folder: str) -> Place | None:
    """Return what the folder itself brings; None if it brings no such files."""
    return next((place for place in folder_files.inspect(folder, ["project"]).places if place.folder == folder), None)


def _show_folder(page: PageContext, number: int, folder: str, place: Place | None, answer: Answer | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"folder_{number}"):
        brings = _brings(place)
        who = f"by {safe_label(answer.answered_by)}, {formats.age(answer.answered_at)}" if answer else ""
        details = formats.line(_says(place, answer), who, safe_label(brings, 300))
        st.markdown(f"{formats.code(folder, 400)}  \n:small[:gray[{details}]]", width="stretch")
        if answer is not None:
            _button(page.lulu, "Take back", f"forget_folder_{number}", ForgetFolder(actor=page.actor, folder=folder))
        if (answer is None or not answer.trusted) and (place is None or place.problem is None):
            entries = place.entries if place else {}
            trust = TrustFolder(actor=page.actor, folder=folder, trusted=True, entries=entries)
            _button(page.lulu, "Trust", f"trust_folder_{number}", trust)


def _brings(place: Place | None) -> str:
    if place is None:
        return "brings nothing itself"
    return ", ".join(dict.fromkeys(finding.file for finding in place.findings)) or (place.problem or "")


def _says(place: Place | None, answer: Answer | None) -> str:
    if place is not None and place.problem == SILENT:
        return ":orange[cannot be looked at now]"
    if answer is None:
        return "not trusted: asked at the next prompt" if place is not None else "no answer yet"
    if not answer.trusted:
        return ":orange[runs without its files]"
    changed = differences(answer.entries, place.entries if place else {})
    return f":orange[trusted, but changed since ({len(changed)})]" if changed and place else ":green[trusted]"


def _button(lulu: Runtime, label: str, key: str, command: Command) -> None:
    st.button(label, key=key, type="tertiary", on_click=_submit, args=(lulu, command))


def _submit(lulu: Runtime, command: Command) -> None:
    alerts.attempt(_PLACE, lambda: lulu.store.commands.submit(command))
