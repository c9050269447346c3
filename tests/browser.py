"""A real browser for tests: which one, how it is started, and what a page of it asked for and complained about."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebSocket

from tests.support import LuluServer

#: Names under which a Chromium is found on PATH, in order.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Quiet, in a container too, and unable to reach anything but this machine.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE [::1], EXCLUDE localhost, EXCLUDE *.localhost",
)

#: What Streamlit's own client asks below a deep link, to find its base path. The 404 is the right answer.
_PROBES = ("/_stcore/health", "/_stcore/host-config")


def executable() -> str | None:
    """The Chromium of this machine: ``LULU_TEST_BROWSER``, else one on PATH, else nothing (Playwright's own)."""
    named = os.environ.get("LULU_TEST_BROWSER")
    return named or next((path for name in NAMES if (path := shutil.which(name)) and _runs(path)), None)


def _runs(path: str) -> bool:
    # Ubuntu puts a script of that name on PATH that only tells how to install a snap.
    return subprocess.run([path, "--version"], capture_output=True).returncode == 0


def sign_in(context: BrowserContext, server: LuluServer) -> None:
    """Give a browser window the owner's cookie."""
    name, _, value = server.sign_in().partition("=")
    context.add_cookies([{"name": name, "value": value, "url": server.url, "httpOnly": True, "sameSite": "Lax"}])


@dataclass
class Viewer:
    """Somebody who looks: a page in a browser context of its own, and a record of what it did."""

    context: BrowserContext
    page: Page = field(init=False)
    #: The address of every request and WebSocket, in order.
    requests: list[str] = field(default_factory=list)
    _errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("request", self._on_request)
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self._errors.append(f"uncaught: {error.error}"))
        self.context.on("page", self._on_page)
        self.page = self.context.new_page()

    @property
    def console_errors(self) -> list[str]:
        """Errors in the console and uncaught ones, without the two probes of Streamlit's client on a deep link."""
        self._catch_up()
        return list(self._errors)

    @property
    def offsite_requests(self) -> list[str]:
        """Addresses asked for that are not on the server that the first request went to."""
        self._catch_up()
        home = urlsplit(self.requests[0]).netloc if self.requests else ""
        parts = [(address, urlsplit(address)) for address in self.requests]
        return [address for address, part in parts if part.scheme not in ("data", "blob") and part.netloc != home]

    def sign_in(self, server: LuluServer) -> None:
        """Come in as the owner, without opening a page."""
        sign_in(self.context, server)

    def close(self) -> None:
        """Leave, as closing the window would."""
        self.context.close()

    def _catch_up(self) -> None:
        # One round trip: everything that the browser had reported before has then been handled.
        for page in self.context.pages:
            page.evaluate("1")

    def _on_page(self, page: Page) -> None:
        page.on("websocket", self._on_websocket)

    def _on_websocket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        address = urlsplit(message.location["url"])
        probe = address.path.endswith(_PROBES) and address.path not in _PROBES and "status of 404" in message.text
        if message.type == "error" and not probe:
            self._errors.append(f"{message.text} ({address.geturl()})")
