"""Set the security headers of every answer. They do not depend on the request."""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

#: The one inline script of Streamlit 1.67's index.html (``window.prerenderReady = false``). A test compares it.
_INDEX_SCRIPT = "'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='"
#: Lulu's own inline script (``lulu/ui/browser/page_head.py``). A test compares it, too.
_PAGE_HEAD = "'sha256-7zf6j8ufmfaFYPv4y385f3UlZC307docZL2Xt+5Kv94='"

_POLICY = {
    "default-src": "'none'",
    # blob: Streamlit imports the inline script of a v2 component from a blob URL.
    "script-src": f"'self' {_INDEX_SCRIPT} {_PAGE_HEAD} blob:",
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
#: An answer may set its own value: a page with a form on plain HTTP needs ``same-origin`` (see ``guard.check_origin``).
_DEFAULTS: Headers = [(b"referrer-policy", b"no-referrer")]
#: Removed from every answer, because no other origin may read Lulu's answers.
_NEVER = b"access-control-"


def secured(headers: Iterable[tuple[bytes, bytes]], sockets: str = "") -> Headers:
    """Return the headers, with ours instead of any of the same name. ``sockets``: our WebSocket origin."""
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
    """Return the policy: no requests to other hosts, no frame around Lulu, no scripts of others.

    The scripts of Streamlit and of Lulu are allowed.
    """
    directives = {**_POLICY, "connect-src": f"'self' {sockets}".strip()}
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
