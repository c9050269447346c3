"""Lulu's entry point: ``streamlit run lulu_app.py`` finds ``app`` here. Says what the server is made of, no more."""

import streamlit as st
from starlette.middleware import Middleware

from lulu import runtime
from lulu.access import guard, links
from lulu.access.authentication import door
from lulu.ui import look
from lulu.web import control, first_answer, flowing, login, own_address, page_socket
from lulu.web.doorbell import Doorbell
from lulu.web.guest_process import GuestProcess
from lulu.web.health import health_route
from lulu.web.relay import Relay
from lulu.web.server import served

doorbell = Doorbell(lambda: runtime.current().store.bus, lambda *one: flowing.told(runtime.current().store, *one))
health = health_route(lambda: runtime.current().store.health, lambda: runtime.current().host.problem)
guests = GuestProcess(st.config.get_config_options)
address = own_address.OwnAddress(st.get_option)
pages = [Middleware(first_answer.Styled, style=look.STYLE), Middleware(page_socket.PageSocket)]


def link(root: str) -> str:
    """The link to open here, once."""
    return links.welcome(runtime.current(), root)


def stopping() -> None:
    """Let go of the pages and of who was let in."""
    doorbell.close_all()
    links.goodbye(runtime.current().settings.data_dir)


app = st.App(
    "lulu/ui/main.py",
    lifespan=served(door.is_shut_to, guests.beside(lambda app: runtime.serving(address.here, link, stopping))),
    routes=[*login.ROUTES, control.control_route, doorbell.route, health],
    middleware=[Middleware(guard.Guard, door=door), Middleware(Relay, guests=guests), *pages],
)
