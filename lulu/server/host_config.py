"""Change Streamlit's host configuration, so that Lulu itself reports a lost connection.

Streamlit's own dialog names Streamlit, asks about the internet, and covers the prompt box. See ``outage.js``.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PATH = "/_stcore/host-config"
#: Of equal length, because the answer's length is already sent.
_THEIRS, _CHANGED = b'"blockErrorDialogs":false', b'"blockErrorDialogs":true '


class Ours:
    """ASGI middleware around the app: Streamlit has no setting for this.

    See Streamlit's ``server/starlette/starlette_routes.py``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def changed(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": message.get("body", b"").replace(_THEIRS, _CHANGED)}
            await send(message)

        is_asked = scope["type"] == "http" and scope["path"] == _PATH
        await self._app(scope, receive, changed if is_asked else send)
