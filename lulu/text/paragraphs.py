"""Find the complete blocks of a markdown text that is still being written. Pure."""

from __future__ import annotations

import re

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"[^\S\n]*(`{3,}(?=[^`\n]*\n?$)|~{3,})(.*)")
#: An item of a list begins a block after any line, and so does a heading.
_ITEM = re.compile(r"[^\S\n]*(?:[-*+]|\d{1,9}[.)]) ")
_HEADING = re.compile(r"#{1,6} ")


def finished(text: str) -> int:
    """Return the length of the prefix of ``text`` that consists of complete markdown blocks.

    A block ends at a blank line, before an item of a list, and around a heading or a block of code. The number never
    shrinks as ``text`` grows. Source: CommonMark 0.31, sections 4.2, 4.5 and 4.8.
    """
    end = at = 0
    fence = ""
    for line in _LINE.findall(text):
        marks = _FENCE.match(line)
        is_whole = line.endswith("\n")
        if fence:
            if marks and is_whole and marks[1].startswith(fence) and not marks[2].strip():
                fence, end = "", at + len(line)
        elif marks and is_whole:
            fence, end = marks[1], at
        elif is_whole and (not line.strip() or _HEADING.match(line)):
            end = at + len(line)
        elif _ITEM.match(line) or _HEADING.match(line):
            end = at
        at += len(line)
    return end
