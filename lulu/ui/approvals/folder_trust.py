"""The question whether a folder's files may act on Claude Code.

It comes up before a session starts in the folder, and before the next prompt of a session whose files have changed.
"""

from __future__ import annotations

import streamlit as st

from lulu.engine.resume import folder_verdict
from lulu.errors import SessionNotFound
from lulu.model.actors import Role
from lulu.model.commands import Delete, Interrupt, SaveDraft, StartSession, TrustFolder
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.store import FolderQuestion
from lulu.text.labels import safe_label
from lulu.trust.answers import Asked
from lulu.trust.folder_files import SILENT, Finding
from lulu.ui import alerts, formats, navigation
from lulu.ui.page_context import PageContext
from lulu.ui.state import AskedStart, put_back, state
from lulu.ui.styles import PROMPT, TRUST

#: Most lines of findings or changes that are drawn, and most names in one line.
_LINES, _NAMES = 30, 12
#: A skill with this file is a plugin.
_SKILLS, _PLUGIN = ".claude/skills/", "/.claude-plugin/plugin.json"
_MEANING = (
    "**Trust and start**: these files apply, until one of them changes. "
    "**Start without them**: your own settings apply, and CLAUDE.md is read. "
    "Either answer can be taken back under Settings. **Cancel**: nothing is sent, and your prompt is kept."
)


def start(lulu: Runtime, command: StartSession, *, is_draft: bool = False) -> None:
    """Start a session. If its folder needs an answer first, save it as a draft and ask on this page."""
    launch = command.launch
    asked = folder_verdict(lulu.store, lulu.settings, launch.agent, launch.working_directory).asked
    if not asked:
        lulu.store.commands.submit(command)
        # Marked as watched now: it may end before this tab has seen it running.
        state().watched.append(command.session_id)
        if not is_draft:
            state().leave_for = command.session_id
        return
    kept = SaveDraft(actor=command.actor, session_id=command.session_id, launch=launch, attachments=command.attachments)
    lulu.store.commands.submit(kept)
    state().asked_start = AskedStart(
        session_id=command.session_id,
        launch=launch,
        asked=asked,
        is_draft=is_draft,
        has_files=bool(command.attachments),
    )


def show_start(page: PageContext, *, draft: SessionId | None = None) -> bool:
    """Draw the question about the session that this page is about to start. Returns whether there is one."""
    start = state().asked_start
    if start is None or start.is_draft != (draft is not None) or (draft is not None and start.session_id != draft):
        return False
    with st.container(key=TRUST, border=True):
        _show_asked(start.asked)
        st.caption(f"Your prompt is kept: “{safe_label(start.launch.prompt, 200)}”")
        _show_buttons(page, start.asked, key="start", start=start)
    alerts.show_problem(TRUST)
    return True


def show_folder(lulu: Runtime, agent: str, folder: str) -> None:
    """Draw what a folder brings, before any prompt; draws none of it if no answer is needed."""
    asked = folder_verdict(lulu.store, lulu.settings, agent, folder).asked if folder.startswith("/") else []
    if asked:
        with st.container(key=TRUST, border=True):
            _show_asked(asked)
            st.caption("You decide whether these files apply when you have sent the prompt.")


def show_held(page: PageContext, session_id: SessionId) -> None:
    """Draw the question that this session's next prompt waits for, if any. Guests see none of it."""
    if page.actor.role is not Role.OWNER:
        return
    question = page.lulu.store.folders.question(session_id)
    if question is not None:
        _show_question(page, question, key=TRUST)
    alerts.show_problem(_place(session_id))


def show_all(page: PageContext) -> int:
    """Draw the question of every session that waits for one. Returns their number."""
    questions = page.lulu.store.folders.questions()
    for question in questions:
        try:
            session = page.lulu.store.sessions.get(question.session_id)
        except SessionNotFound:
            continue
        with st.container(gap="small", key=f"inbox_folder_{session.id}"):
            st.page_link(navigation.session(), label=f"**{safe_label(session.name)}**", query_params={"id": session.id})
            for waiting in [one for one in page.lulu.store.commands.queued_prompts(session.id) if not one.is_held][:1]:
                st.caption(f"“{safe_label(waiting.prompt, 200)}”")
            _show_question(page, question, key=f"{TRUST}_folder_{session.id}")
            alerts.show_problem(_place(session.id))
    return len(questions)


def _show_question(page: PageContext, question: FolderQuestion, *, key: str) -> None:
    with st.container(key=key, border=True):
        _show_asked(question.asked)
        st.caption("The session's next prompt waits for your answer. Nothing of it was sent.")
        _show_buttons(page, question.asked, key=question.session_id, session_id=question.session_id)


def _show_asked(asked: list[Asked]) -> None:
    for one in asked:
        folder = formats.code(one.place.folder, 400)
        if one.place.problem == SILENT:
            st.markdown(f"**:orange[This folder does not answer:]** {folder}")
            st.caption("A network folder that is away does so. Lulu looks again every few seconds before it sends.")
            continue
        if one.changes is None:
            st.markdown(f"**:orange[Do you trust this folder?]** {folder} brings files on which Claude Code acts:")
        else:
            st.markdown(f"**:orange[What this folder brings has changed]** since you trusted it: {folder}")
            _show_lines([safe_label(change, 200) for change in one.changes])
            st.markdown("It now brings:")
        _show_lines([safe_label(_words(finding), 300) for finding in one.place.findings])
        if any(name.startswith(_SKILLS) and name.endswith(_PLUGIN) for name in one.place.entries):
            st.caption("A plugin below .claude/skills is loaded only where Claude Code itself trusts the folder, too.")
        if one.place.problem is not None:
            st.markdown(f":red[{safe_label(one.place.problem, 300)}] It cannot be trusted as long as that is so.")


def _show_lines(lines: list[str]) -> None:
    # A list, so that a name in a file cannot hide the line of another one.
    more = [f"and {len(lines) - _LINES:,} more"] if len(lines) > _LINES else []
    st.markdown("\n".join(f"- {line}" for line in [*lines[:_LINES], *more]))


def _words(finding: Finding) -> str:
    names = ", ".join(finding.names[:_NAMES]) + (", …" if len(finding.names) > _NAMES else "")
    return f"{finding.file}: {finding.kind}{f' ({names})' if names else ''}"


def _show_buttons(
    page: PageContext,
    asked: list[Asked],
    *,
    key: str,
    start: AskedStart | None = None,
    session_id: SessionId | None = None,
) -> None:
    cannot = any(one.place.problem is not None for one in asked)
    is_silent = any(one.place.problem == SILENT for one in asked)
    with st.container(horizontal=True):
        for label, name, trusted in (("Trust and start", "trust", True), ("Start without them", "without", False)):
            st.button(
                label,
                key=f"{name}_{key}",
                icon=":material/verified_user:" if trusted else ":material/play_arrow:",
                disabled=is_silent or (trusted and cannot),
                on_click=_answer,
                args=(page, asked, trusted, start, session_id),
            )
        st.button(
            "Cancel",
            key=f"cancel_{key}",
            type="tertiary",
            on_click=_cancel,
            args=(page, start, session_id),
        )
    if not is_silent:
        st.caption(_MEANING)


def _answer(
    page: PageContext,
    asked: list[Asked],
    trusted: bool,
    start: AskedStart | None,
    session_id: SessionId | None,
) -> None:
    def answer() -> None:
        for one in asked:
            # The entries that were shown: a change since then is asked about again.
            place = one.place
            command = TrustFolder(actor=page.actor, folder=place.folder, trusted=trusted, entries=place.entries)
            page.lulu.store.commands.submit(command)
        if start is not None:
            page.lulu.store.commands.submit(
                StartSession(actor=page.actor, session_id=start.session_id, launch=start.launch)
            )
            state().asked_start = None
            if not start.is_draft:
                state().leave_for = start.session_id

    alerts.attempt(TRUST if session_id is None else _place(session_id), answer)


def _cancel(page: PageContext, start: AskedStart | None, session_id: SessionId | None) -> None:
    if session_id is not None:
        alerts.attempt(
            _place(session_id),
            lambda: page.lulu.store.commands.submit(Interrupt(actor=page.actor, session_id=session_id)),
        )
        return
    state().asked_start = None
    if start is None:
        return
    if start.is_draft or start.has_files:
        st.toast("The prompt is kept as a draft.", icon=":material/save:")
    elif alerts.attempt(
        TRUST, lambda: page.lulu.store.commands.submit(Delete(actor=page.actor, session_id=start.session_id))
    ):
        put_back(PROMPT, start.launch.prompt)


def _place(session_id: SessionId) -> str:
    return f"trust_{session_id}"
