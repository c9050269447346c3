"""Text that can be stored and sent: without lone surrogates, and without NUL where SQLite would end at it. Pure."""

from __future__ import annotations


def as_text(text: str) -> str:
    """A plain TEXT column (events keep the exact string): ``as_unicode``, and no NUL, where SQLite's LIKE would end."""
    return as_unicode(text).replace("\0", "\ufffd")


def as_unicode(text: str) -> str:
    """Text that can be encoded: each lone surrogate becomes U+FFFD."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
