"""The two cookies: what a browser shows at the door. HttpOnly, SameSite=Lax; their values are tokens."""

from __future__ import annotations

from collections.abc import Iterable

from lulu.access.tokens import is_token

OWNER_COOKIE = "lulu_owner"
GUEST_COOKIE = "lulu_guest"
#: Shares that one browser keeps; the oldest goes first.
MOST_SHARES = 20
#: How long a browser keeps them (seconds). The rows decide how long they count.
_MAX_AGE = {OWNER_COOKIE: 30 * 86_400, GUEST_COOKIE: 400 * 86_400}
_BETWEEN = "."


def cookie(name: str, value: str) -> str:
    """The value of ``Set-Cookie``. Lax: a link from a chat must find the page signed in."""
    return f"{name}={value}; Max-Age={_MAX_AGE[name]}; Path=/; HttpOnly; SameSite=Lax"


def with_share(tokens: Iterable[str], token: str) -> str:
    """The guest's cookie with one more share."""
    kept = [*(one for one in tokens if one != token), token]
    return _BETWEEN.join(kept[-MOST_SHARES:])


def read_tokens(headers: Iterable[str]) -> dict[str, list[str]]:
    """The tokens of both cookies in ``Cookie`` headers, each once; what has not a token's shape is left out.

    Of owners' all are given: another server of this name can set as many as it likes, and must lock nobody out. A
    header has room for some three hundred.
    """
    found: dict[str, list[str]] = {OWNER_COOKIE: [], GUEST_COOKIE: []}
    for header in headers:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name in found:
                found[name] += [token for token in value.split(_BETWEEN) if is_token(token)]
    kept = {name: list(dict.fromkeys(tokens)) for name, tokens in found.items()}
    return {**kept, GUEST_COOKIE: kept[GUEST_COOKIE][:MOST_SHARES]}
