"""The main script: who is here decides which pages exist; then the frame, the sidebar and the page."""

from __future__ import annotations

import streamlit as st

from lulu import runtime
from lulu.actors import Role
from lulu.ui import identity, look, notices, places, sidebar

st.set_page_config(page_title="Lulu", page_icon=look.ICON, layout="centered", initial_sidebar_state=300)

_actor = identity.actor()
if _actor.role is Role.NOBODY:
    st.markdown("Nothing to see here.")
    st.stop()

_lulu = runtime.current()
_page = st.navigation(places.pages_for(_actor), position="hidden")
look.apply()
if _actor.role is Role.OWNER:
    sidebar.show(_lulu, st.query_params.get("id") if _page.url_path == places.session().url_path else None)
    notices.show_store(_lulu.store)
_page.run()
