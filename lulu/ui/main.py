"""Streamlit's entry script: identifies the actor, registers that role's pages, draws page and sidebar."""

from __future__ import annotations

import streamlit as st

from lulu import runtime
from lulu.model.actors import Role
from lulu.ui import alerts, identity, navigation, styles
from lulu.ui.browser import doorbell, page_head
from lulu.ui.page_context import PageContext
from lulu.ui.sidebar import sidebar
from lulu.ui.state import state


@alerts.told
def draw() -> None:
    """Draw the page that the address names, for the actor of this browser."""
    # Before the navigation: without an icon of the whole app the client asks another host for that of the page.
    st.set_page_config(page_title="Lulu", page_icon=styles.ICON, layout="centered", initial_sidebar_state=300)
    actor = identity.actor()
    if actor.role is Role.NOBODY:
        alerts.show_ended()
        page_head.end_page()
        return
    lulu = runtime.current()
    page = st.navigation(navigation.pages_for(actor), position="hidden")
    st.set_page_config(page_title=f"{page.title} · Lulu")
    doorbell.hub()
    navigation.follow()
    if actor.role is Role.OWNER and page.url_path not in {navigation.session().url_path, navigation.preview().url_path}:
        state().shown = None
    if actor.role is Role.OWNER:
        st.logo(styles.LOGO, size="small")
        alerts.show_health(lulu)
    # The page before the sidebar: it is what the person has just clicked for.
    alerts.told(page.run)()
    if actor.role is Role.OWNER:
        is_session = page.url_path == navigation.session().url_path
        sidebar.show(PageContext(lulu=lulu, actor=actor), st.query_params.get("id") if is_session else None)
    else:
        page_head.end_page()


draw()
