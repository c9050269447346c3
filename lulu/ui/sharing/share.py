"""The Share dialog: make, preview, list and revoke the links to a session."""

from __future__ import annotations

import streamlit as st

from lulu.access import links
from lulu.access.authentication import door
from lulu.access.guest_view import GuestEvents
from lulu.access.source import hidden_in
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.store import ACCESS, VISITORS, Access, AccessKind, ShareOptions
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, identity, navigation, page_context
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext
from lulu.ui.sharing import lan
from lulu.ui.state import state, ticked, typed

SHARE = "share"
#: Hours that a link is valid; None means until it is revoked.
TIMES: dict[str, float | None] = {"1 hour": 1, "1 day": 24, "7 days": 168, "30 days": 720, "until revoked": None}
#: Events that are searched for secrets before a link is made.
_REVIEWED = 2_000


@st.fragment
@alerts.told
@identity.owner_only
def button(page: PageContext, session_id: SessionId) -> None:
    """Draw the button in the session's header, and the dialog while it is open."""
    st.button("Share", key=SHARE, icon=":material/share:", on_click=_open, args=(session_id,))
    # Streamlit closes a dialog that a run does not draw, so every run of the header draws it.
    if state().sharing == session_id:
        _dialog(session_id)


def _open(session_id: SessionId) -> None:
    state().sharing = session_id
    state().made_link = None


def _close() -> None:
    state().sharing = None
    state().made_link = None


@st.dialog("Share this session", width="medium", on_dismiss=_close)
def _dialog(session_id: SessionId) -> None:
    page = page_context.for_owner()
    lan.show_switch(page)
    # Both share one place, so that the one leaves no element behind when the other is drawn.
    with st.empty().container():
        _show_made(page, session_id)
    _show_links(page.lulu, session_id)


@st.fragment
@alerts.told
@identity.owner_only
def _show_made(page: PageContext, session_id: SessionId) -> None:
    """Draw the link that was just made while it is valid, else the form that makes one."""
    bell(ACCESS, seen=page.lulu.store.bus.version(ACCESS), key="share_made")
    made = state().made_link
    row = page.lulu.store.access.get(made[0]) if made else None
    if made and row is not None and row.is_valid:
        st.markdown("**Copy the link now.** It is shown only once.")
        lan.show_link(made[1])
        st.button("Make another link", key="share_another", on_click=_forget_link)
    else:
        _show_form(page, session_id)


def _forget_link() -> None:
    state().made_link = None


def _show_form(page: PageContext, session_id: SessionId) -> None:
    first, second = st.columns([1, 2])
    first.selectbox("How long", list(TIMES), index=2, key="share_time")
    second.text_input("For whom", key="share_label", max_chars=80, placeholder="Name (for your list)")
    st.checkbox("Include tool output", value=True, key="share_output")
    st.checkbox("Include thinking", value=False, key="share_thinking")
    reviewed = GuestEvents(page.lulu.store, session_id, _options()).events(limit=_REVIEWED)
    hidden = formats.hidden_kinds(hidden_in(reviewed.rows))
    st.caption(
        f":material/visibility_off: Hidden from guests: {hidden}. "
        if hidden
        else ":material/visibility: No secret was recognized in this session. "
    )
    st.caption("Secrets are found by pattern and some can be missed. Check the preview.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Make a link", key="share_make", type="primary", on_click=_make, args=(page, session_id))
        query = {
            "id": session_id,
            "output": str(int(_options().tool_output)),
            "thinking": str(int(_options().thinking)),
        }
        st.page_link(navigation.preview(), label="Preview as guest", icon=":material/preview:", query_params=query)
    alerts.show_problem(SHARE)


def _options() -> ShareOptions:
    return ShareOptions(
        tool_output=ticked("share_output", default=True), thinking=ticked("share_thinking", default=False)
    )


def options_in(output: str | None, thinking: str | None) -> ShareOptions:
    """Return the options from the address of a preview."""
    return ShareOptions(tool_output=output != "0", thinking=thinking == "1")


def _make(page: PageContext, session_id: SessionId) -> None:
    def make() -> None:
        made, link = links.share_link(
            page.lulu,
            page.actor,
            lan.root(page.lulu),
            session_id,
            hours=TIMES.get(typed("share_time"), 168),
            options=_options(),
            label=typed("share_label").strip(),
        )
        state().made_link = (made.id, link)

    alerts.attempt(SHARE, make)


@st.fragment
@alerts.told
@identity.owner_only
def _show_links(lulu: Runtime, session_id: SessionId) -> None:
    """Draw every valid link of this session: viewers, last use and expiry."""
    for topic in (ACCESS, VISITORS):
        bell(topic, seen=lulu.store.bus.version(topic), key=f"share_{topic}")
    rows = [row for row in lulu.store.access.find(session_id=session_id) if row.known_kind is AccessKind.SHARE]
    valid = [row for row in rows if row.is_valid]
    if valid:
        st.divider()
    for row in valid:
        _show_one(lulu, row)


def _show_one(lulu: Runtime, row: Access) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"link_{row.id}"):
        watching = door.visitors(row.id)
        st.markdown(
            formats.line(
                f"**{safe_label(row.label or 'Link')}**",
                f":green[● {watching} watching now]" if watching else "not watching",
                f"last opened {formats.age(row.last_seen_at)}" if row.last_seen_at else "never opened",
                f"until {row.expires_at.astimezone():%b %-d, %H:%M}" if row.expires_at else "until revoked",
            )
        )
        st.button("Revoke", key=f"revoke_{row.id}", icon=":material/link_off:", on_click=revoke, args=(lulu, row.id))


def revoke(lulu: Runtime, access_id: int) -> None:
    """End a link or a device; its open pages are closed."""
    alerts.attempt(SHARE, lambda: lulu.store.access.revoke(identity.actor(), access_id))
