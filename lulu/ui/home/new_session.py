"""Home: the form for a new session, the cards of the running ones, and the drafts."""

from __future__ import annotations

import streamlit as st

from lulu.model.commands import SaveDraft, StartSession
from lulu.model.sessions import SessionId, new_session_id
from lulu.model.validation import Attachment
from lulu.store import SESSIONS
from lulu.text.labels import safe_label
from lulu.ui import alerts, identity, launch_options
from lulu.ui.approvals import folder_trust, interruptions
from lulu.ui.browser import unsent
from lulu.ui.browser.doorbell import bell
from lulu.ui.content import attachments
from lulu.ui.home import cards, drafts
from lulu.ui.page_context import PageContext
from lulu.ui.state import is_on, placeholder, put_back
from lulu.ui.styles import AS_DRAFT, EXAMPLES, PROMPT

#: Prompts to try, by the label of their button.
EXAMPLE_PROMPTS: dict[str, str] = {
    "Explain this folder": "Look around in this folder and explain in a few sentences what it is.",
    "Find a bug": "Find one small bug in this project, explain it, and propose a fix as a diff.",
    "Tell a story": "Tell me a short story about a lighthouse keeper and her robot.",
}


def show(page: PageContext) -> None:
    """Draw the form for a new session."""
    st.title("What should the agent do?", anchor=False)
    alerts.show_problem(PROMPT)
    # Inside a container the input is here; outside Streamlit moves it to the bottom of the page.
    with unsent.box(unsent.HOME_BOX):
        st.chat_input(
            placeholder("Type a prompt"),
            key=PROMPT,
            accept_file="multiple",
            max_upload_size=attachments.MAX_MEGABYTES,
            on_submit=_start,
            args=(page,),
            height=110,
        )
    if not folder_trust.show_start(page):
        folder_trust.show_folder(page.lulu, page.lulu.agent.kind, launch_options.folder(page.lulu))
    launch_options.show(page.lulu)
    st.toggle("Save as draft instead of starting", key=AS_DRAFT)
    with st.container(key=EXAMPLES, horizontal=True):
        for label, prompt in EXAMPLE_PROMPTS.items():
            st.button(label, key=f"example_{label}", on_click=put_back, args=(PROMPT, prompt))
    st.caption(f":material/smart_toy: {safe_label(page.lulu.agent.explanation, 400)}")


def _start(page: PageContext) -> None:
    prompt, files = attachments.sent(PROMPT)
    action = _save_draft if is_on(AS_DRAFT) else _submit
    if not alerts.attempt(PROMPT, lambda: action(page, prompt, files)) and prompt.strip():
        # A blank prompt is not put back: a person may already be typing another one.
        put_back(PROMPT, prompt)


def _submit(page: PageContext, prompt: str, files: list[Attachment]) -> None:
    session_id: SessionId = new_session_id()
    launch = launch_options.read(page.lulu, prompt)
    folder_trust.start(
        page.lulu, StartSession(actor=page.actor, session_id=session_id, launch=launch, attachments=files)
    )


def _save_draft(page: PageContext, prompt: str, files: list[Attachment]) -> None:
    launch = launch_options.read(page.lulu, prompt)
    page.lulu.store.commands.submit(
        SaveDraft(actor=page.actor, session_id=new_session_id(), launch=launch, attachments=files)
    )
    st.toast("The draft is saved.", icon=":material/save:")


@st.fragment
@alerts.told
@identity.owner_only
def show_now(page: PageContext) -> None:
    """Draw the sessions that live now and the drafts; renewed when any session changes."""
    bell(SESSIONS, seen=page.lulu.store.bus.version(SESSIONS), key="home")
    interruptions.show(page)
    cards.show(page)
    drafts.show_list(page.lulu)
