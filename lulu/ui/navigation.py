"""The pages of the app, and the targets of its links."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lulu.model.actors import Actor, Role
from lulu.ui.state import HOME, SEARCH_PAGE, state

_FOLDER = Path(__file__).resolve().parents[2] / "pages"


def pages_for(actor: Actor) -> list[st.Page]:
    """Return the pages that this actor may open. Streamlit cannot run a page that is not registered."""
    if actor.role is Role.OWNER:
        everyday = [_home(), _session(), _inbox(), _search(), _settings(), _help()]
        known = [*everyday, _preview(), _devices(), _audit()]
        return [*known, *_missing(known)]
    return [_watch()] if actor.role is Role.GUEST else []


# A Page has a flag for the run that registered it. So each run registers new ones, and links share cached ones.


@cache
def home() -> st.Page:
    """Return the page ``/``: a new session."""
    return _home()


@cache
def session() -> st.Page:
    """Return the page ``/session?id=…``: one session."""
    return _session()


@cache
def search() -> st.Page:
    """Return the page ``/search?q=…``: every event of every session."""
    return _search()


@cache
def inbox() -> st.Page:
    """Return the page ``/inbox``: every open request."""
    return _inbox()


@cache
def settings() -> st.Page:
    """Return the page ``/settings``: agent, rules, folders, access and variables."""
    return _settings()


@cache
def help_page() -> st.Page:
    """Return the page ``/help``: keys and notifications."""
    return _help()


def follow() -> None:
    """Go to the page that the last click's callback chose. Streamlit cannot switch pages in a callback."""
    wanted, state().leave_for = state().leave_for, None
    if wanted == HOME:
        st.switch_page(home())
    elif wanted == SEARCH_PAGE:
        st.switch_page(search(), query_params={"q": state().search_for})
    elif wanted:
        st.switch_page(session(), query_params={"id": wanted})


@cache
def preview() -> st.Page:
    """Return the page ``/preview?id=…``: one session as a guest sees it."""
    return _preview()


@cache
def devices() -> st.Page:
    """Return the page ``/devices``: the browsers that are signed in."""
    return _devices()


@cache
def audit() -> st.Page:
    """Return the page ``/audit``: the record of actions."""
    return _audit()


def _home() -> st.Page:
    return st.Page(_FOLDER / "home.py", title="New session", icon=":material/add:", default=True)


def _session() -> st.Page:
    return st.Page(_FOLDER / "session.py", title="Session", url_path="session")


def _search() -> st.Page:
    return st.Page(_FOLDER / "search.py", title="Search", icon=":material/search:", url_path="search")


def _inbox() -> st.Page:
    return st.Page(_FOLDER / "inbox.py", title="Inbox", icon=":material/inbox:", url_path="inbox")


def _settings() -> st.Page:
    return st.Page(_FOLDER / "settings.py", title="Settings", icon=":material/settings:", url_path="settings")


def _help() -> st.Page:
    return st.Page(_FOLDER / "help.py", title="Help", icon=":material/help:", url_path="help")


def _preview() -> st.Page:
    return st.Page(_FOLDER / "preview.py", title="Preview", url_path="preview")


def _devices() -> st.Page:
    return st.Page(_FOLDER / "devices.py", title="Devices", icon=":material/devices:", url_path="devices")


def _audit() -> st.Page:
    return st.Page(_FOLDER / "audit.py", title="Audit", icon=":material/history:", url_path="audit")


def _missing(known: list[st.Page]) -> list[st.Page]:
    """Return a page for an unknown address, if the browser opened one; else an empty list.

    Without it Streamlit would run Home and show a message of its own. Streamlit reports the address only once, when the
    window opens.
    """
    context = get_script_run_ctx()
    name = context.pages_manager.intended_page_name if context else None
    if name and "/" not in name and name not in {page.url_path for page in known}:
        state().missing = name
    return [st.Page(_no_such_page, title="No such page", url_path=state().missing)] if state().missing else []


def _no_such_page() -> None:
    st.title("No such page", anchor=False)
    st.markdown("This address leads nowhere. Your sessions are in the list; everything else begins at the start.")
    st.page_link(home(), label="Go to the start", icon=":material/home:")


def _watch() -> st.Page:
    return st.Page(_FOLDER / "watch.py", title="Shared session", default=True)
