"""The unfinished input of one browser tab. The only module that uses ``st.session_state``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import streamlit as st

from lulu.errors import LuluError
from lulu.model.events import EventId
from lulu.model.sessions import Launch, SessionId
from lulu.trust.answers import Asked

#: Rows of the session list that are shown first, and that "Show more" adds.
LIST_STEP = 50
#: Pages that a click or a key can lead to.
HOME = "/"
SEARCH_PAGE = "/search"
#: Requests that the inbox shows first, and that "Show more" adds.
INBOX_STEP = 30


@dataclass(frozen=True, kw_only=True)
class Problem:
    """The error of an action that a person asked for."""

    error: LuluError
    #: ``time.monotonic()`` of the error.
    at: float


#: After so many messages Streamlit's client has dropped the first one (it keeps those of the last two runs).
_REPEATS = 16


@dataclass(frozen=True, kw_only=True)
class AskedStart:
    """A session that is a draft until the person has answered the question about its folder."""

    session_id: SessionId
    launch: Launch
    #: The findings that the person sees.
    asked: list[Asked]
    #: Whether it was a draft before, and whether it has files. In both cases a cancelled start leaves it as a draft.
    is_draft: bool
    has_files: bool


@dataclass
class Shown:
    """The part of a session that a page shows, while it stays at that session."""

    session_id: SessionId
    #: Id of the first event; None if there is none.
    first: EventId | None = None
    #: Id of the last event of each part of the settled events; empty before the first run.
    ends: list[int] = field(default_factory=list)
    #: Whether the first part is drawn or requested.
    is_whole: bool = False


@dataclass
class State:
    """The state of one tab. If it is lost, no prompt that was sent is lost with it."""

    #: Text that the next full run puts into the prompt box: a fragment cannot.
    to_type: str | None = None
    #: The event of the last prompt that was put back after a hook had refused it.
    put_back_prompt: EventId | None = None
    #: How often a text was put into an input box.
    times_put_back: int = 0
    #: The last of them as key and text, and how often it was equal to the one before.
    last_put_back: tuple[str, str] | None = None
    times_again: int = 0
    #: How many rows of the session list are shown.
    rows_shown: int = LIST_STEP
    #: How many requests the inbox shows.
    requests_shown: int = INBOX_STEP
    #: For each session, the first event after "Load earlier".
    earliest: dict[SessionId, int] = field(default_factory=dict)
    #: The last address without a page.
    missing: str = ""
    #: What is shown of a transcript whose end is on the page.
    shown: Shown | None = None
    #: The target of the last click: a session's id, ``HOME`` or ``SEARCH_PAGE``.
    leave_for: str | None = None
    #: The query for ``SEARCH_PAGE``.
    search_for: str = ""
    #: A search, and the event that "Show older hits" continues from.
    searched: tuple[str, EventId] | None = None
    #: Whether every expander of a transcript is drawn open.
    opens_all: bool = False
    #: Whether that has changed since the page was drawn.
    page_is_stale: bool = False
    #: Keys of rows of tool calls that stay open because an expander in them was opened.
    unfolded: set[str] = field(default_factory=set)
    #: The session whose Share dialog is open, and the link just made in it. No other copy of the link exists.
    sharing: SessionId | None = None
    made_link: tuple[int, str] | None = None
    #: The device link that was just made.
    made_device: str | None = None
    #: Sessions that this tab has seen running, the newest last.
    watched: list[SessionId] = field(default_factory=list)
    #: The session that starts when the question about its folder is answered.
    asked_start: AskedStart | None = None
    #: The error of the last click, by the place where it is shown.
    problems: dict[str, Problem] = field(default_factory=dict)


def state() -> State:
    """Return this tab's state."""
    if "lulu" not in st.session_state:
        st.session_state["lulu"] = State()
    found: State = st.session_state["lulu"]
    return found


def typed(key: str) -> str:
    """Return the value of a text widget, or the text just sent from it; empty if it has none."""
    found = st.session_state.get(key)
    return found if isinstance(found, str) else ""


def is_unfolded(key: str) -> bool:
    """Whether the reader has unfolded this expander."""
    return st.session_state.get(key) is True


def picked(key: str) -> object:
    """Return the value of a widget; None if it has none."""
    return st.session_state.get(key)


def is_on(key: str) -> bool:
    """Whether a checkbox or a switch is on."""
    return st.session_state.get(key) is True


def keep(key: str) -> None:
    """Keep the value of a widget that this run may not draw. Call it before the widget is drawn."""
    if key in st.session_state:
        st.session_state[key] = st.session_state[key]


def switch_off(keys: Iterable[str]) -> None:
    """Untick checkboxes. Streamlit allows it in a callback only."""
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = False


def ticked(key: str, *, default: bool) -> bool:
    """Whether a checkbox is ticked, or ``default`` if it was not drawn yet."""
    return bool(st.session_state.get(key, default))


def put_back(key: str, text: str) -> None:
    """Put text into an input box: a refused prompt, an example, a suggestion."""
    st.session_state[key] = text
    state().times_put_back += 1
    state().times_again += state().last_put_back == (key, text)
    state().last_put_back = (key, text)


def prompt_place() -> AbstractContextManager[object]:
    """Return a context for a prompt box. The box is new for the browser if a text is put back twice.

    Streamlit's client accepts a text from the server only if it differs from the last one, or if the box is new.
    Without this, a prompt that is refused twice in a row would disappear the second time.
    """
    return st.container() if state().times_again % 2 else nullcontext()


def placeholder(words: str) -> str:
    """Return ``words`` with an invisible suffix that changes each time a text was put back.

    Streamlit's client takes a message that it had before from its cache, and there the value counts as used. Without
    the suffix, a prompt that is put back twice would disappear the second time.
    """
    return words + "\N{ZERO WIDTH SPACE}" * (state().times_put_back % _REPEATS)
