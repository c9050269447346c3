"""The switch for LAN access, the addresses of links, and the warning about plain HTTP."""

from __future__ import annotations

import base64
import io

import segno
import streamlit as st

from lulu.access import links
from lulu.access.authentication import door
from lulu.model.commands import SwitchLan
from lulu.runtime import Runtime
from lulu.server.own_address import OwnAddress
from lulu.text.labels import safe_label
from lulu.ui import alerts
from lulu.ui.page_context import PageContext

_WHERE = "lan"
_address = OwnAddress(st.get_option)


def root(lulu: Runtime) -> str:
    """Return the address of Lulu for other computers, with a slash at its end."""
    if lulu.settings.public_url:
        return f"{lulu.settings.public_url}/"
    return _address.in_the_network(links.lan_address())


def show_switch(page: PageContext) -> None:
    """Draw whether other computers can open Lulu, and the button that changes it."""
    is_on = door.is_open_to_lan
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            ":green[● LAN access is on]: other computers can reach Lulu; without a link they see nothing."
            if is_on
            else ":gray[● LAN access is off]: only this computer can open Lulu."
        )
        st.button(
            "Switch LAN access off" if is_on else "Switch LAN access on",
            key="lan_switch",
            icon=":material/lan:",
            disabled=page.lulu.settings.lan is not None,
            help=f"Set by LULU_LAN={page.lulu.settings.lan}." if page.lulu.settings.lan else None,
            on_click=_switch,
            args=(page, not is_on),
        )
    alerts.show_problem(_WHERE)
    if is_on and (address := _address.pinned()):
        st.caption(f"Lulu listens on {safe_label(address)} only (`--server.address`).")
    if is_on and not root(page.lulu).startswith("https://"):
        show_plain_notice()


def show_plain_notice() -> None:
    """Draw the warning that plain HTTP can be read by others in the network."""
    st.caption(
        ":material/lock_open: This is plain HTTP: whoever can watch the network's traffic can read along and copy "
        "links and cookies. In a network that you do not trust, put TLS in front (a proxy, with `LULU_PUBLIC_URL`), "
        "use an SSH tunnel, or Tailscale: see docs/security.md."
    )


def show_link(link: str) -> None:
    """Draw a link to copy and as a QR code, with a warning if LAN access is off."""
    if not door.is_open_to_lan:
        st.caption(":orange[:material/warning: This link won't work until LAN access is on.]")
    st.code(link, language=None, wrap_lines=True)
    picture = io.BytesIO()
    segno.make(link, micro=False).save(picture, kind="png", scale=6, border=1)
    # A data URL: the page loads no further address for it.
    st.image(
        f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}", width=220, alt="The link as a QR code"
    )


def _switch(page: PageContext, on: bool) -> None:
    alerts.attempt(_WHERE, lambda: page.lulu.store.commands.submit(SwitchLan(actor=page.actor, on=on)))
