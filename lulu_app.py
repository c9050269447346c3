"""The entry point: ``streamlit run lulu_app.py`` serves ``app``, put together here from its parts."""

import streamlit as st
from starlette.middleware import Middleware

from lulu import runtime
from lulu.access import guard, links
from lulu.access.authentication import door
from lulu.server import first_answer, own_address, page_socket
from lulu.server.guests.proxy import Relay
from lulu.server.guests.supervisor import GuestProcess
from lulu.server.push import doorbell, live_text
from lulu.server.routes import control, health, login
from lulu.server.setup import served
from lulu.ui.browser import page_head

bell = doorbell.Doorbell(lambda: runtime.current().store.bus, lambda *of: live_text.told(runtime.current().store, *of))
healthz = health.health_route(lambda: runtime.current().store.health, lambda: runtime.current().host.problem)
guests = GuestProcess(st.config.get_config_options)
address = own_address.OwnAddress(st.get_option)
pages = [Middleware(first_answer.Styled, head=page_head.HEAD), Middleware(page_socket.PageSocket)]


def link(root: str) -> str:
    """Return a one-time link that signs a browser in."""
    return links.welcome(runtime.current(), root)


def stopping() -> None:
    """Close all doorbell sockets and delete the files with login tokens."""
    bell.close_all()
    links.goodbye(runtime.current().settings.data_dir)


app = st.App(
    "lulu/ui/main.py",
    lifespan=served(door.is_shut_to, guests.beside(lambda app: runtime.serving(address.here, link, stopping))),
    routes=[*login.ROUTES, control.control_route, bell.route, healthz],
    middleware=[Middleware(guard.Guard, door=door), Middleware(Relay, guests=guests), *pages],
)
