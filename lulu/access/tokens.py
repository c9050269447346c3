"""Tokens of 256 random bits. Only their SHA-256 is stored, so they can be neither guessed nor forged."""

from __future__ import annotations

import hashlib
import re
import secrets

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """Return a new token: 43 characters that need no escaping in URLs and cookies."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether the text has a token's form. Other texts are never looked up."""
    return _SHAPE.fullmatch(text) is not None


def hash_of(token: str) -> str:
    """Return the stored form of a token. With so many random bits, a slow hash is not needed."""
    return hashlib.sha256(token.encode()).hexdigest()
