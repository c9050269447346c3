"""Tokens: 256 random bits each. Only their sha256 is stored; nothing about one can be guessed or forged."""

from __future__ import annotations

import hashlib
import re
import secrets

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """A fresh token: 43 characters that stand in a URL and a cookie as they are."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether it has a token's shape; anything else is not looked up."""
    return _SHAPE.fullmatch(text) is not None


def hash_of(token: str) -> str:
    """What is stored. So many random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
