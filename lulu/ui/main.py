"""The main script: who is here decides which pages exist; then the frame, the sidebar and the page."""

from __future__ import annotations

import streamlit as st

from lulu import runtime
from lulu.model.actors import Role
from lulu.ui import bell, first_paint, guest, identity, links, look, notices, outage, places, sidebar
from lulu.ui.state import state


@notices.told
def draw() -> None:
    """One run of the app, for whoever looks at it."""
    st.set_page_config(page_title="Lulu", page_icon=look.ICON, layout="centered", initial_sidebar_state=300)
    actor = identity.actor()
    if actor.role is Role.NOBODY:
        guest.show_ended()
        return
    lulu = runtime.current()
    page = st.navigation(places.pages_for(actor), position="hidden")
    st.set_page_config(page_title=f"{page.title} · Lulu")
    first_paint.watch()
    bell.hub()
    outage.watch(is_owner=actor.role is Role.OWNER)
    links.follow()
    places.follow()
    if actor.role is Role.OWNER and page.url_path not in {places.session().url_path, places.preview().url_path}:
        state().shown = None
    if actor.role is Role.OWNER:
        st.logo(look.LOGO, size="small")
        notices.show_health(lulu)
    # The page before what stands beside it: what somebody has just clicked for comes first.
    notices.told(page.run)()
    first_paint.end_page()
    if actor.role is Role.OWNER:
        sidebar.show(lulu, actor, st.query_params.get("id") if page.url_path == places.session().url_path else None)


draw()
