"""``python -m lulu.ui.guest_app FD``: serves guests' pages on the socket FD, beside a running Lulu.

``lulu/server/guests/supervisor.py`` starts it. It sends settings and then each change of the bus as lines of JSON on
standard input. This process cannot write to the database and cannot reach an agent.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
from pathlib import Path

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from streamlit.web import bootstrap

from lulu import runtime
from lulu.access import guard
from lulu.server.guests import socket_folder
from lulu.server.page_socket import PageSocket
from lulu.server.push import live_text
from lulu.server.push.doorbell import APART, Doorbell, Turns
from lulu.server.setup import quieten
from lulu.settings import Settings
from lulu.store import Bus, BusState

log = logging.getLogger(__name__)

#: Seconds between notifying two pages, so that many guests leave processor time to the owner. Changes in between are
#: drawn in one run; streamed text is not delayed.
_APART = 0.03
#: Every page is notified within so many seconds: with more than twenty pages the spacing shrinks.
_WITHIN = 0.6
_SCRIPT = Path(__file__).parent / "main.py"


def main(descriptor: int) -> None:
    """Serve until the other process ends or this one is stopped; ``descriptor`` is the listening socket."""
    listener = socket.socket(fileno=descriptor)
    lines = sys.stdin.buffer
    told = json.loads(lines.readline())
    guard.believe(told["proof"])
    bus = Bus(follows=_state(lines.readline()))
    lulu = runtime.look_on(Settings(**told["settings"]), Path(told["database"]), bus)
    threading.Thread(target=_follow, args=[bus, listener.getsockname()], name="rings", daemon=True).start()
    doorbell = Doorbell(
        lambda: bus,
        words=lambda kind, session_id: live_text.told(lulu.store, kind, session_id),
        turns=Turns(_APART, least=APART, within=_WITHIN),
    )
    bootstrap.load_config_options(told["options"])
    config = uvicorn.Config(
        st.App(
            _SCRIPT,
            routes=[doorbell.route],
            lifespan=lambda app: runtime.sparing(),
            middleware=[Middleware(PageSocket)],
        ),
        ws="websockets-sansio",
        ws_max_size=int(st.get_option("server.maxMessageSize")) * 1_000_000,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        timeout_graceful_shutdown=1,
        log_level="warning",
        access_log=False,
    )
    # A guest can cause every message in this process, so each is logged at most once a second.
    quieten()
    uvicorn.Server(config).run(sockets=[listener])


def _follow(bus: Bus, address: str) -> None:
    """Pass on the bus changes of the other process, and exit this process when that one has ended.

    It exits however the other one ended: that process closes the database file last, and without it no page can be
    shown.
    """
    try:
        for line in sys.stdin.buffer:
            bus.follow(_state(line))
    except ValueError:
        log.info("guests' pages end in the middle of a line: the other process is gone")
    except Exception:
        log.exception("guests' pages end: what rings cannot be passed on")
    finally:
        # Also if the last line was incomplete.
        socket_folder.remove(Path(address).parent)
        os._exit(0)


def _state(line: bytes) -> BusState:
    told = json.loads(line)
    return BusState(floor=told["floor"], versions=told["versions"])


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except Exception:
        log.exception("guests' pages cannot be served")
    # Not ``sys.exit``: that would wait for the reading thread.
    os._exit(1)
