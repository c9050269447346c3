"""The Devices page: every browser that is signed in as the owner, and a form to add one."""

from __future__ import annotations

import streamlit as st

from lulu.access import links
from lulu.access.authentication import door
from lulu.model.actors import Role
from lulu.runtime import Runtime
from lulu.store import ACCESS, Access
from lulu.store.parts.access import COMMAND_LINE
from lulu.text.labels import safe_label
from lulu.ui import alerts, formats, identity
from lulu.ui.browser.doorbell import bell
from lulu.ui.page_context import PageContext
from lulu.ui.sharing import lan, share
from lulu.ui.state import state, typed

_ADD = "add_device"


def show(page: PageContext) -> None:
    """Draw the page."""
    page.actor.require_owner()
    st.title("Devices", anchor=False)
    lan.show_switch(page)
    _show_add(page)
    st.header("Signed in", anchor=False)
    _show_devices(page.lulu)


def _show_add(page: PageContext) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name of the new device", key="device_label", max_chars=80, placeholder="Phone, laptop …")
        st.button("Add device", key=_ADD, type="primary", icon=":material/add:", on_click=_add, args=(page,))
    alerts.show_problem(_ADD)
    if state().made_device:
        st.markdown(
            f"Open this on the new device within {links.PAIR_MINUTES} minutes and press the button there. "
            "It works once, and lets that device do everything that you can."
        )
        lan.show_link(state().made_device or "")


def _add(page: PageContext) -> None:
    def make() -> None:
        label = typed("device_label").strip()
        state().made_device = links.pair_link(page.lulu, page.actor, lan.root(page.lulu), label)

    alerts.attempt(_ADD, make)


@st.fragment
@alerts.told
@identity.owner_only
def _show_devices(lulu: Runtime) -> None:
    bell(ACCESS, seen=lulu.store.bus.version(ACCESS), key="devices")
    mine = identity.actor()
    alerts.show_problem(share.SHARE)
    for row in lulu.store.access.find():
        if row.role is Role.OWNER and row.is_valid and row.label != COMMAND_LINE:
            _show_one(lulu, row, is_this=row.id == mine.access_id)


def _show_one(lulu: Runtime, row: Access, *, is_this: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"device_{row.id}"):
        st.markdown(
            formats.line(
                f"**{safe_label(row.label or 'a browser')}**",
                ":green[this browser]" if is_this else "",
                ":green[open now]" if door.visitors(row.id) and not is_this else "",
                f"since {formats.age(row.created_at)}",
                f"last used {formats.age(row.last_seen_at)}" if row.last_seen_at else "",
            )
        )
        st.button(
            "Sign out" if is_this else "Remove",
            key=f"remove_{row.id}",
            icon=":material/logout:",
            on_click=share.revoke,
            args=(lulu, row.id),
        )
