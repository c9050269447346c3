"""Make text that can be stored and sent: no lone surrogates, no NUL for SQLite. Pure."""

from __future__ import annotations


def as_text(text: str) -> str:
    """Return text for a TEXT column: as ``as_unicode``, and without NUL.

    SQLite's LIKE ends at a NUL. Events keep the exact string instead.
    """
    return as_unicode(text).replace("\0", "\ufffd")


def as_unicode(text: str) -> str:
    """Return text that can be encoded: each lone surrogate becomes U+FFFD."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
