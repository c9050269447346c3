"""The security headers of every answer. Knows no request: what to allow does not depend on who asks."""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

#: The one inline script of Streamlit 1.67's index.html (``window.prerenderReady = false``); a test compares it.
_INDEX_SCRIPT = "'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='"
#: Lulu's own, which shows a page when it is there (``lulu/ui/browser/first_paint.py``); a test compares it, too.
_FIRST_PAINT = "'sha256-1HE8YVF1/RXUCXzX9B1G5VY3t1O/dP+RsQxPDlsPduU='"

_POLICY = {
    "default-src": "'none'",
    # blob: Streamlit imports the inline script of a v2 component from a blob URL.
    "script-src": f"'self' {_INDEX_SCRIPT} {_FIRST_PAINT} blob:",
    # 'unsafe-inline': Streamlit's styles are written by a script (emotion) and as style attributes.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' blob:",
    "worker-src": "'self' blob:",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}

_FIXED: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
#: An answer may choose its own: a page with a form on plain HTTP needs ``same-origin`` (see ``guard.check_origin``).
_DEFAULTS: Headers = [(b"referrer-policy", b"no-referrer")]
#: Nothing of Lulu is for another origin, whatever a route inside says.
_NEVER = b"access-control-"


def secured(headers: Iterable[tuple[bytes, bytes]], sockets: str = "") -> Headers:
    """The headers with ours in place of any of the same name. ``sockets``: our own WebSocket origin."""
    ours = [(b"content-security-policy", content_security_policy(sockets).encode()), *_FIXED]
    names = {name for name, _ in ours}
    kept = [
        (name, value)
        for name, value in ((name.lower(), value) for name, value in headers)
        if name not in names and not name.startswith(_NEVER)
    ]
    present = {name for name, _ in kept}
    return [*kept, *ours, *((name, value) for name, value in _DEFAULTS if name not in present)]


def content_security_policy(sockets: str = "") -> str:
    """The policy: no request to any other host, ever; no frame around Lulu; no script but Streamlit's and ours."""
    directives = {**_POLICY, "connect-src": f"'self' {sockets}".strip()}
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
