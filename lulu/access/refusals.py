"""Answers to refused requests: one page for all, without any information about sessions."""

from __future__ import annotations


class Refusal(Exception):
    """Ends the judgement of a request. Its text is all that the client receives."""

    def __init__(self, status: int, text: str, *, media_type: str = "text/plain") -> None:
        super().__init__(text)
        self.status = status
        self.media_type = media_type
        self.body = (text.rstrip("\n") + "\n").encode()


_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.6 system-ui,sans-serif;max-width:34rem;margin:12vh auto 0;padding:0 1.25rem;"
    "background:light-dark(#fff,#14161b);color:light-dark(#1f2430,#e6e8ee)}"
    "h1{font-size:1.35rem;margin:0 0 1rem}p{margin:0 0 .9rem}"
    "code{font-size:.95em;padding:.1em .35em;border-radius:.3em;background:light-dark(#f0f1f4,#262a32)}"
    "button{font:inherit;font-weight:600;padding:.6rem 1.2rem;border:0;border-radius:.5rem;"
    "background:#4f46e5;color:#fff;cursor:pointer}"
)


def document(title: str, body: str) -> str:
    """Return a complete HTML page of our own constants. It loads nothing else."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><link rel="icon" href="data:,"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )


#: For wrong, expired, used and revoked links, and for requests without a link.
CLOSED_PAGE = document(
    "You're not signed in",
    "<p><b>Did somebody share a session with you?</b> This link has expired or was revoked. "
    "Ask for a new one.</p>"
    "<p><b>Is this your own Lulu?</b> On the computer that runs Lulu, run <code>python -m lulu login</code> "
    "in Lulu's folder and open the link. It works once.</p>",
)


def not_signed_in() -> Refusal:
    """Return the 401 for every request without a valid credential."""
    return Refusal(401, CLOSED_PAGE, media_type="text/html")


_CROWDED_PAGE = document(
    "Too many pages are open with this link",
    "<p>The link works, and nothing was lost. As many pages as may be open with it are open now.</p>"
    "<p>Close some of them, or try again in a minute. Whoever sent you the link can make another one.</p>",
)


def crowded() -> Refusal:
    """Return the 503 for a guest with too many connections by one share link."""
    return Refusal(503, _CROWDED_PAGE, media_type="text/html")
