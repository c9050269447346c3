"""A server that is asked to stop ends soon, also when a visitor's machine sleeps."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from lulu.server import shutdown
from tests.support import ROOT, LuluServer

#: An app whose every answer is bigger than what the network takes from a reader that does not read.
_APP = """
import contextlib

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from lulu.access.guard import Guard
from lulu.server.routes.health import health_route
from lulu.server.setup import served
from tests.doors import OpenDoor
from types import SimpleNamespace


async def big(_):
    return Response(b"x" * 50_000_000)


@contextlib.asynccontextmanager
async def lifespan(_):
    yield
    print("cleaned up", flush=True)


app = st.App(
    "page.py",
    lifespan={lifespan},
    routes=[Route("/big", big), health_route(lambda: SimpleNamespace(ok=True, waiting=0, problem=None))],
    middleware=[Middleware(Guard, door=OpenDoor())],
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / ".streamlit", tmp_path / ".streamlit")
    (tmp_path / "page.py").write_text("import streamlit as st\nst.text('here')\n")
    return tmp_path


def _sleeping_visitor(server: LuluServer) -> socket.socket:
    visitor = socket.create_connection(("127.0.0.1", server.port))
    visitor.sendall(f"GET /big HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    assert visitor.recv(100).startswith(b"HTTP/1.1 200")
    return visitor


def test_a_sleeping_visitor_does_not_keep_the_server(folder: Path) -> None:
    (folder / "app.py").write_text(_APP.format(lifespan="served(lambda address: False, lifespan)"))
    server = LuluServer(folder, env={"PYTHONPATH": str(ROOT)}, script=folder / "app.py")
    try:
        server.start()
        with _sleeping_visitor(server):
            server.terminate()
    finally:
        server.close()

    assert "cleaned up" in server.log


def test_without_the_limit_it_would(folder: Path) -> None:
    (folder / "app.py").write_text(_APP.format(lifespan="lifespan"))
    server = LuluServer(folder, env={"PYTHONPATH": str(ROOT)}, script=folder / "app.py")
    try:
        server.start()
        with _sleeping_visitor(server), pytest.raises(AssertionError, match="still there"):
            server.terminate(timeout=shutdown.WAIT + 3)
    finally:
        server.close()


def test_outside_a_server_there_is_nothing_to_limit(caplog: pytest.LogCaptureFixture) -> None:
    assert not shutdown.limit_wait()
    assert "was not found" in caplog.text
