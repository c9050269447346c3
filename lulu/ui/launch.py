"""Home: the box that starts a session, and what lives right now."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from lulu import folders
from lulu.actors import Actor
from lulu.commands import StartSession
from lulu.errors import InputError
from lulu.inputs import checked_folder
from lulu.runtime import Runtime
from lulu.sessions import Launch, SessionId, new_session_id
from lulu.store import SESSIONS
from lulu.ui import notices, places, sidebar, wording
from lulu.ui.bell import bell
from lulu.ui.look import CARDS, CWD, EXAMPLES, MODEL, PERMISSION_MODE, PROMPT, TITLE
from lulu.ui.state import put_back, state, typed
from lulu.ui.text import safe_label

#: Aliases that Claude Code resolves itself; any other name can be typed.
MODEL_ALIASES = ("opus", "sonnet", "haiku")
_DEFAULT_MODEL = "Default model"

#: What a newcomer can try: a label, and the prompt that it puts into the box.
EXAMPLE_PROMPTS: dict[str, str] = {
    "Explain this folder": "Look around in this folder and explain in a few sentences what it is.",
    "Find a bug": "Find one small bug in this project, explain it, and propose a fix as a diff.",
    "Tell a story": "Tell me a short story about a lighthouse keeper and her robot.",
}


def show(lulu: Runtime, actor: Actor) -> None:
    """Draw the launch form; where a session was just started, go there."""
    launched, state().launched = state().launched, None
    if launched:
        st.switch_page(places.session(), query_params={"id": launched})
    st.header("What should the agent do?", anchor=False)
    notices.show_problem(PROMPT)
    # Inside a container the input stands here and not at the bottom of the page.
    with st.container():
        st.chat_input("Type a prompt", key=PROMPT, on_submit=_start, args=(lulu, actor), height=110)
    _show_options(lulu)
    with st.container(key=EXAMPLES, horizontal=True):
        for label, prompt in EXAMPLE_PROMPTS.items():
            st.button(label, key=f"example_{label}", on_click=put_back, args=(PROMPT, prompt))
    st.caption(f":material/smart_toy: {safe_label(lulu.agent.explanation, 400)}")


def _show_options(lulu: Runtime) -> None:
    settings = lulu.settings
    first, second, third, fourth = st.columns([5, 3, 3, 3])
    recent = [folder for folder in lulu.store.recent_folders() if Path(folder).is_dir()]
    offered = list(dict.fromkeys([str(settings.working_directory), *recent]))
    first.selectbox(
        "Folder",
        offered,
        key=CWD,
        accept_new_options=True,
        placeholder="Choose, or type an absolute path",
    )
    models = list(dict.fromkeys([settings.model or _DEFAULT_MODEL, _DEFAULT_MODEL, *MODEL_ALIASES]))
    second.selectbox("Model", models, key=MODEL, accept_new_options=True)
    modes = list(dict.fromkeys([settings.permission_mode, *wording.MODES]))
    third.selectbox("Permissions", modes, key=PERMISSION_MODE, format_func=wording.mode)
    fourth.text_input("Title", key=TITLE, placeholder="Optional", max_chars=200)
    show_findings(typed(CWD), settings.setting_sources)


def show_findings(folder: str, sources: Sequence[str]) -> None:
    """Tell what a folder brings with it that acts or allows by itself: a repository can carry it unseen."""
    found = folders.findings(folder, sources) if folder else []
    if found:
        # A list: what a name in somebody's file says, no line of it may hide another.
        lines = [f"- {safe_label(_words(finding), 200)}" for finding in found]
        st.warning("\n".join(["**This folder brings its own Claude Code settings:**", *lines]), icon=":material/rule:")


def _words(finding: folders.Finding) -> str:
    names = ", ".join(finding.names)
    return f"{finding.file}: {finding.kind}{f' ({names})' if names else ''}"


def _start(lulu: Runtime, actor: Actor) -> None:
    prompt = typed(PROMPT)
    if not notices.attempt(PROMPT, lambda: _submit(lulu, actor, prompt)):
        put_back(PROMPT, prompt)


def _submit(lulu: Runtime, actor: Actor, prompt: str) -> None:
    model = typed(MODEL).strip()
    session_id: SessionId = new_session_id()
    launch = Launch(
        prompt=prompt,
        working_directory=checked_folder(typed(CWD) or str(lulu.settings.working_directory)),
        model=None if model in ("", _DEFAULT_MODEL) else model,
        permission_mode=checked_mode(typed(PERMISSION_MODE) or lulu.settings.permission_mode),
        title=typed(TITLE).strip() or None,
        agent=lulu.agent.kind,
    )
    lulu.store.submit(StartSession(actor=actor, session_id=session_id, launch=launch))
    state().launched = session_id


def checked_mode(mode: str) -> str:
    """The permission mode. Raises ``InputError`` for one that Claude Code would refuse."""
    if mode == "bypassPermissions" and os.geteuid() == 0 and os.environ.get("IS_SANDBOX") != "1":
        raise InputError(
            "Claude Code refuses to bypass permissions for root.",
            safe="Nothing was started.",
            next_step="Choose another permission mode, or run Lulu as another user.",
        )
    return mode


@st.fragment
@notices.told
def show_now(lulu: Runtime) -> None:
    """What runs or waits, those that wait for a person first."""
    bell(SESSIONS, seen=lulu.store.bus.version(SESSIONS), key="home")
    live = sidebar.waiting_first(lulu.store.live_sessions())
    if live:
        st.subheader("Now", anchor=False)
        with st.container(key=CARDS):
            for session in live:
                with st.container(border=True, key=f"card_{session.id}", gap=None):
                    st.page_link(
                        places.session(),
                        label=f"**{safe_label(session.name)}**",
                        query_params={"id": session.id},
                        width="stretch",
                    )
                    st.caption(sidebar.row_details(session))
