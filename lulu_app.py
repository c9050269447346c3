"""Lulu's entry point: ``streamlit run lulu_app.py`` finds ``app`` here. Says what the server is made of, no more."""

import streamlit as st
from starlette.middleware import Middleware

from lulu import runtime
from lulu.access.guard import Guard
from lulu.web.doorbell import Doorbell
from lulu.web.health import health_route
from lulu.web.shutdown import limited

doorbell = Doorbell(lambda: runtime.current().store.bus)


def link() -> str:
    """The address to open in a browser on this machine."""
    return f"http://127.0.0.1:{st.get_option('server.port')}/"


app = st.App(
    "lulu/ui/main.py",
    lifespan=limited(lambda app: runtime.serving(link, stopping=doorbell.close_all)),
    routes=[doorbell.route, health_route(lambda: runtime.current().store.health)],
    middleware=[Middleware(Guard)],
)
