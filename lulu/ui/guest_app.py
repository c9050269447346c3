"""``python -m lulu.ui.guest_app FD``: serves guests' pages at the socket FD, for a Lulu that runs beside it.

``lulu/server/guests/supervisor.py`` starts it and says on its standard input, in lines of JSON, what to begin with and
then what rings. Nothing here writes, and no agent can be reached from here.
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

#: Seconds between the rings to two pages, so that a crowd leaves the processors room. What comes while a page waits for
#: its turn is drawn by one run; words wait for no turn.
_APART = 0.03
#: Every page has its turn within so many seconds. Where there are more than twenty they are closer.
_WITHIN = 0.6
_SCRIPT = Path(__file__).parent / "main.py"


def main(descriptor: int) -> None:
    """Serve until the other process ends, or this one."""
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
    # All that is said here, a guest can cause.
    quieten()
    uvicorn.Server(config).run(sockets=[listener])


def _follow(bus: Bus, address: str) -> None:
    """Ring as the other process does. When it is gone, however it went, end at once: nobody else may close its file
    after it, and no page can be shown."""
    try:
        for line in sys.stdin.buffer:
            bus.follow(_state(line))
    except ValueError:
        log.info("guests' pages end in the middle of a line: the other process is gone")
    except Exception:
        log.exception("guests' pages end: what rings cannot be passed on")
    finally:
        # In the middle of a line, too.
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
    # Not ``sys.exit``: that would wait for the thread that reads.
    os._exit(1)
