"""Insert Lulu's styles and first script into a page's HTML, so that they apply before it is drawn.

Streamlit serves its page at every address. Below one of Lulu's, its files are not found and the page stays blank. So
such an address is redirected to one that Lulu reports as unknown.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lulu.server import host_config

#: The element in which Streamlit's client draws. Styles in the body win over those that the client adds to the head.
_ROOT = b'<div id="root">'
#: An address without a page.
_NOWHERE = "/no-such-page"
#: A compressed answer cannot be changed here. A cached one may have old styles.
_UNASKED = {b"accept-encoding", b"if-none-match", b"if-modified-since"}


class Styled:
    """ASGI middleware around the app and ``host_config``. ``head``: constant HTML, put before the page."""

    def __init__(self, app: ASGIApp, *, head: str) -> None:
        self._app = host_config.Ours(app)
        self._head = head.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _asks_for_a_page(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def styled(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None or message["type"] != "http.response.body":
                await send(message)
            else:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                if _ROOT in body and "/" in scope["path"].strip("/"):
                    await RedirectResponse(_NOWHERE, 302)(scope, receive, send)
                else:
                    whole = body.replace(_ROOT, self._head + _ROOT, 1)
                    headers = MutableHeaders(raw=start["headers"])
                    headers["content-length"] = str(len(whole))
                    for name in ("etag", "last-modified"):
                        del headers[name]
                    await send(start)
                    await send({"type": "http.response.body", "body": whole})

        headers = [(name, value) for name, value in scope["headers"] if name not in _UNASKED]
        await self._app({**scope, "headers": headers}, receive, styled)


def _asks_for_a_page(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
    )


def _is_page(start: Message) -> bool:
    return start["status"] == 200 and MutableHeaders(raw=list(start["headers"])).get("content-type", "").startswith(
        "text/html"
    )
