"""Where things are: the pages, and the addresses that links go to."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lulu.model.actors import Actor, Role
from lulu.ui.state import HOME, SEARCH_PAGE, state

_FOLDER = Path(__file__).resolve().parents[2] / "pages"


def pages_for(actor: Actor) -> list[st.Page]:
    """The pages that this actor may open: a page that is not registered cannot be run by any message."""
    if actor.role is Role.OWNER:
        everyday = [_home(), _session(), _inbox(), _search(), _settings(), _help()]
        known = [*everyday, _preview(), _devices(), _audit()]
        return [*known, *_missing(known)]
    return [_watch()] if actor.role is Role.GUEST else []


# A Page carries a flag for the run that it was registered in, so each run registers its own, and links share another.


@cache
def home() -> st.Page:
    """``/``: start a session."""
    return _home()


@cache
def session() -> st.Page:
    """``/session?id=…``: one session."""
    return _session()


@cache
def search() -> st.Page:
    """``/search?q=…``: every event of every session."""
    return _search()


@cache
def inbox() -> st.Page:
    """``/inbox``: every open request."""
    return _inbox()


@cache
def settings() -> st.Page:
    """``/settings``: the values in force."""
    return _settings()


@cache
def help_page() -> st.Page:
    """``/help``: keys and notifications."""
    return _help()


def follow() -> None:
    """Go where the last click leads. Its callback only says where to: Streamlit lets none leave the page."""
    wanted, state().leave_for = state().leave_for, None
    if wanted == HOME:
        st.switch_page(home())
    elif wanted == SEARCH_PAGE:
        st.switch_page(search(), query_params={"q": state().search_for})
    elif wanted:
        st.switch_page(session(), query_params={"id": wanted})


@cache
def preview() -> st.Page:
    """``/preview?id=…``: one session as a guest sees it."""
    return _preview()


@cache
def devices() -> st.Page:
    """``/devices``: where the owner is signed in."""
    return _devices()


@cache
def audit() -> st.Page:
    """``/audit``: who did what."""
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
    """A page at the address that somebody has come to, where no other is there: Streamlit would run Home, and say why
    in words of its own. It is told the address once, when the window opens."""
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
