"""Write and read the two cookies, for owners and guests. Their values are tokens.

Both are HttpOnly and SameSite=Lax.
"""

from __future__ import annotations

from collections.abc import Iterable

from lulu.access.tokens import is_token

OWNER_COOKIE = "lulu_owner"
GUEST_COOKIE = "lulu_guest"
#: The most share links in one browser's cookie. The oldest is dropped first.
MOST_SHARES = 20
#: Seconds for which a browser keeps the cookies. The rows decide how long they are valid.
_MAX_AGE = {OWNER_COOKIE: 30 * 86_400, GUEST_COOKIE: 400 * 86_400}
_BETWEEN = "."


def cookie(name: str, value: str) -> str:
    """Return the value of ``Set-Cookie``. Lax, so that a link from a chat opens the page signed in."""
    return f"{name}={value}; Max-Age={_MAX_AGE[name]}; Path=/; HttpOnly; SameSite=Lax"


def with_share(tokens: Iterable[str], token: str) -> str:
    """Return the guest's cookie with one more share token."""
    kept = [*(one for one in tokens if one != token), token]
    return _BETWEEN.join(kept[-MOST_SHARES:])


def read_tokens(headers: Iterable[str]) -> dict[str, list[str]]:
    """Return the tokens of both cookies in ``Cookie`` headers, each once. Other values are ignored.

    All owner tokens are returned: another server of this host name can set many such cookies, and must not lock the
    owner out. A header has room for about three hundred.
    """
    found: dict[str, list[str]] = {OWNER_COOKIE: [], GUEST_COOKIE: []}
    for header in headers:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name in found:
                found[name] += [token for token in value.split(_BETWEEN) if is_token(token)]
    kept = {name: list(dict.fromkeys(tokens)) for name, tokens in found.items()}
    return {**kept, GUEST_COOKIE: kept[GUEST_COOKIE][:MOST_SHARES]}
