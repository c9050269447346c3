"""Which part of a text that is still being written is whole blocks of markdown. Pure."""

from __future__ import annotations

import re

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})(.*)")
#: An item of a list, a heading: it begins a block whatever stood before it.
_BEGINNING = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)]|#{1,6}) ")


def finished(text: str) -> int:
    """How many characters of ``text`` are blocks that nothing which may still be written belongs to.

    A block ends at a blank line, before an item of a list, a heading or a block of code, and after a block of code
    (CommonMark 0.31, sections 4.5 and 4.8). Whatever comes, this number does not become smaller.
    """
    end = at = 0
    fence = ""
    for line in _LINE.findall(text):
        marks = _FENCE.match(line)
        is_whole = line.endswith("\n")
        if fence:
            if marks and is_whole and marks[1].startswith(fence) and not marks[2].strip():
                fence, end = "", at + len(line)
        elif marks:
            fence, end = marks[1], at
        elif is_whole and not line.strip():
            end = at + len(line)
        elif _BEGINNING.match(line):
            end = at
        at += len(line)
    return end
