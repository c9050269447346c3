"""Text in which signs are written as escapes, read as what they mean: JSON in JSON, addresses, HTML. Pure."""

from __future__ import annotations

import html
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from lulu.access.spans import Span

#: However many backslashes stand before a sign: each program that quoted the text has doubled them.
_ESCAPE = re.compile(
    r"(?:\\(?<!\\\\)\\*+(?:(?:u001[bB]|x1[bB]|033|e)\[[0-9;]{0,12}[A-Za-z]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|u\{[0-9a-fA-F]{1,6}\}|[01][0-7]{2}|[\"'/`nrt])"
    r"|%(?:25){0,4}[0-9A-Fa-f]{2}|&(?:amp;){0,4}(?:quot|amp|lt|gt|apos|\#[0-9]{2,7}|\#[xX][0-9a-fA-F]{2,6});)"
)
_SIGNS = {"n": "\n", "r": "\n", "t": "\t"}


@dataclass(frozen=True, kw_only=True)
class Unescaped:
    """A text with its escapes read, and where each part of it stood."""

    text: str
    #: Where the parts between two escapes begin, in this text and in the other.
    here: list[int]
    there: list[int]

    def before(self, spans: Iterable[Span]) -> Iterator[Span]:
        """The same spans in the text that was read."""
        for span in spans:
            yield Span(self._place(span.start), self._place(span.end - 1, end=True), span.kind)

    def _place(self, at: int, *, end: bool = False) -> int:
        number = bisect_right(self.here, at) - 1
        if not end:
            return self.there[number] + at - self.here[number]
        # An escape of several signs goes as a whole: the end is where the next part begins.
        at += 1
        if number + 1 < len(self.here) and at == self.here[number + 1]:
            return self.there[number + 1]
        return self.there[number] + at - self.here[number]


def unescaped(text: str) -> Unescaped | None:
    """The text with its escapes read; ``None`` where it has none."""
    if not ("\\" in text or "%" in text or "&" in text):
        return None
    parts: list[str] = []
    here, there = [0], [0]
    done = length = 0
    for match in _ESCAPE.finditer(text):
        start, end = match.span()
        sign = _sign(match[0])
        if start > done:
            parts.append(text[done:start])
            length += start - done
        if here[-1] != length:
            here.append(length)
            there.append(start)
        parts.append(sign)
        length += len(sign)
        if sign:
            here.append(length)
            there.append(end)
        else:
            there[-1] = end
        done = end
    if not done:
        return None
    parts.append(text[done:])
    return Unescaped(text="".join(parts), here=here, there=there)


@lru_cache(maxsize=1024)
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
