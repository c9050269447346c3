"""The only module that touches ``st.session_state``: what this browser tab has not finished yet."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import streamlit as st

from lulu.errors import LuluError
from lulu.model.events import EventId
from lulu.model.sessions import Launch, SessionId
from lulu.trust.answers import Asked

#: Rows of the session list shown at first, and added by "Show more".
LIST_STEP = 50
#: Pages that a click or a key leads to.
HOME = "/"
SEARCH_PAGE = "/search"
#: Requests that the inbox shows at first, and adds by "Show more".
INBOX_STEP = 30


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why something that a person asked for was not done."""

    error: LuluError
    #: ``time.monotonic()``.
    at: float


#: After so many messages Streamlit's client has forgotten the first one (it keeps those of the last two runs).
_REPEATS = 16


@dataclass(frozen=True, kw_only=True)
class AskedStart:
    """A session that is kept as a draft until its folder is answered for."""

    session_id: SessionId
    launch: Launch
    #: What the person is shown.
    asked: list[Asked]
    #: Whether the person had made it a draft before, and whether files go with it: then it stays one when not started.
    is_draft: bool
    has_files: bool


@dataclass
class Shown:
    """What a page shows of a session, for as long as it shows that."""

    session_id: SessionId
    #: The first event; nothing while there is none.
    first: EventId | None = None
    #: The last event of each part that its settled events are drawn in; nothing before it is drawn.
    ends: list[int] = field(default_factory=list)
    #: Whether the first part is drawn, or was asked for.
    is_whole: bool = False


@dataclass
class State:
    """One tab's unfinished business. Losing it loses nothing that was sent."""

    #: Text for the prompt box that the next full run puts there: a fragment cannot reach it.
    to_type: str | None = None
    #: The event of the last prompt that was put back because a hook had refused it.
    put_back_prompt: EventId | None = None
    #: How often text was put into an input box.
    times_put_back: int = 0
    #: The last of them, as the box's key and the text; and how often that was the same as the one before.
    last_put_back: tuple[str, str] | None = None
    times_again: int = 0
    #: How many rows of the session list are shown.
    rows_shown: int = LIST_STEP
    #: How many requests the inbox shows.
    requests_shown: int = INBOX_STEP
    #: For each session, the first event that "Load earlier" has reached.
    earliest: dict[SessionId, int] = field(default_factory=dict)
    #: The last address that leads nowhere.
    missing: str = ""
    #: The transcript whose end is on the page.
    shown: Shown | None = None
    #: Where the last click leads: a session's id, ``HOME`` or ``SEARCH_PAGE``.
    leave_for: str | None = None
    #: What ``SEARCH_PAGE`` is to look for.
    search_for: str = ""
    #: A search, and how far back "Show older hits" has got in it.
    searched: tuple[str, EventId] | None = None
    #: Whether every fold of a transcript is drawn open.
    opens_all: bool = False
    #: Whether that was just changed, and the page is not drawn so yet.
    page_is_stale: bool = False
    #: Rows of tool calls that stay open, because something in them was opened.
    unfolded: set[str] = field(default_factory=set)
    #: The session whose Share dialog is open, and a link that was just made in it: nobody keeps it.
    sharing: SessionId | None = None
    made_link: tuple[int, str] | None = None
    #: A device link that was just made.
    made_device: str | None = None
    #: Sessions that this tab has seen at work, the last ones last.
    watched: list[SessionId] = field(default_factory=list)
    #: What is started once its folder is answered for.
    asked_start: AskedStart | None = None
    #: What went wrong with the last click, by the place where it is told.
    problems: dict[str, Problem] = field(default_factory=dict)


def state() -> State:
    """This tab's state."""
    if "lulu" not in st.session_state:
        st.session_state["lulu"] = State()
    found: State = st.session_state["lulu"]
    return found


def typed(key: str) -> str:
    """What stands in a text widget, or was just sent from one."""
    found = st.session_state.get(key)
    return found if isinstance(found, str) else ""


def is_unfolded(key: str) -> bool:
    """Whether the reader has this fold open."""
    return st.session_state.get(key) is True


def picked(key: str) -> object:
    """What is chosen in a widget; nothing where nothing is."""
    return st.session_state.get(key)


def is_on(key: str) -> bool:
    """Whether a box is ticked or a switch is on."""
    return st.session_state.get(key) is True


def keep(key: str) -> None:
    """Keep the value of a widget that this run may not draw. Called before it is drawn."""
    if key in st.session_state:
        st.session_state[key] = st.session_state[key]


def switch_off(keys: Iterable[str]) -> None:
    """Untick boxes. Only a callback may."""
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = False


def ticked(key: str, *, default: bool) -> bool:
    """Whether a checkbox is ticked; what it begins with where it was not drawn yet."""
    return bool(st.session_state.get(key, default))


def put_back(key: str, text: str) -> None:
    """Put text into an input box: a prompt that could not be sent, an example, an offer."""
    st.session_state[key] = text
    state().times_put_back += 1
    state().times_again += state().last_put_back == (key, text)
    state().last_put_back = (key, text)


def prompt_place() -> AbstractContextManager[object]:
    """Around a prompt box: a place that is new to the browser when the same text was put back once more.

    Streamlit's client takes a text from the server where it is another than the one before, or the box is new: the same
    prompt, refused twice in a row, would be gone the second time.
    """
    return st.container() if state().times_again % 2 else nullcontext()


def placeholder(words: str) -> str:
    """What an empty prompt box says. It differs, for no eye, each time that text was put back.

    Streamlit's client takes a message that it has had before out of its cache, where the value is marked as taken: the
    same prompt, put back twice, would be gone the second time.
    """
    return words + "\N{ZERO WIDTH SPACE}" * (state().times_put_back % _REPEATS)
