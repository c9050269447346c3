"""Text in which signs are written as escapes, read as what they mean: JSON in JSON, addresses, HTML. Pure."""

from __future__ import annotations

import html
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

from lulu.access.spans import Span

#: However many backslashes stand before a sign: each program that quoted the text has doubled them.
_ESCAPE = re.compile(
    r"(\\(?<!\\\\)\\*+(?:[\"'/`nrt]|(?:u001[bB]|x1[bB]|033|e)\[[0-9;]{0,12}[A-Za-z]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|u\{[0-9a-fA-F]{1,6}\}|[01][0-7]{2})"
    r"|%(?:25){0,4}[0-9A-Fa-f]{2}|&(?:amp;){0,4}(?:quot|amp|lt|gt|apos|\#[0-9]{2,7}|\#[xX][0-9a-fA-F]{2,6});)"
)
_SIGNS = {"n": "\n", "r": "\n", "t": "\t"}


class Unescaped:
    """A text with its escapes read, and where each part of it stood."""

    def __init__(self, parts: list[str]) -> None:
        """From the parts of the text: what stands between escapes, and each escape, by turns."""
        meant = parts.copy()
        meant[1::2] = map(_SIGN.__getitem__, parts[1::2])
        self.text = "".join(meant)
        self._parts, self._meant = parts, meant

    def before(self, spans: Iterable[Span]) -> Iterator[Span]:
        """The same spans in the text that was read."""
        found = list(spans)
        if found:
            self._here = [*accumulate(map(len, self._meant), initial=0)]
            self._there = [*accumulate(map(len, self._parts), initial=0)]
        for span in found:
            yield Span(self._place(span.start), self._place(span.end - 1, end=True), span.kind)

    def _place(self, at: int, *, end: bool = False) -> int:
        here, there = self._here, self._there
        # Of parts that begin at one place all but the last are empty: an escape without a meaning goes with it.
        number = bisect_right(here, at) - 1
        if not end:
            return there[number] + at - here[number]
        # An escape of several signs goes as a whole: the end is where the next part begins.
        following = bisect_right(here, at + 1) - 1
        if here[following] == at + 1:
            return there[following]
        return there[number] + at + 1 - here[number]


def unescaped(text: str) -> Unescaped | None:
    """The text with its escapes read; ``None`` where it has none."""
    if not ("\\" in text or "%" in text or "&" in text):
        return None
    parts = _ESCAPE.split(text)
    return Unescaped(parts) if len(parts) > 1 else None


class _Signs(dict[str, str]):
    """What each escape means; a thousand short ones are kept."""

    def __missing__(self, escape: str) -> str:
        sign = _sign(escape)
        if len(self) < 1_000 and len(escape) < 16:
            self[escape] = sign
        return sign


_SIGN = _Signs()


def _sign(escape: str) -> str:
    if escape[0] == "%":
        return chr(int(escape[-2:], 16))
    if escape[0] == "&":
        return html.unescape(escape.replace("&amp;", "&"))
    body = escape.lstrip("\\")
    if "[" in body:
        return ""
    if body[0] in "uxU" and len(body) > 1:
        number = int(body[1:].strip("{}"), 16)
        return chr(number) if number <= sys.maxunicode else body
    if body.isdigit():
        return chr(int(body, 8))
    return _SIGNS.get(body, body)
