"""Foreign text costs time in proportion to its length: twice the text, at most three times the time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from lulu.model import events
from lulu.server.push import live_text
from lulu.store.sqlite.connection import folded
from lulu.text import labels, markdown, plain
from lulu.text.paragraphs import finished
from lulu.transcript import diffs, export, tool_results, turns
from lulu.transcript.search_text import searchable_text
from tests.samples import stored

#: Texts of about ``size`` characters: one long line, short lines, and what each pattern looks for, over and over.
SHAPES: dict[str, Callable[[int], str]] = {
    "one line": lambda size: "x" * size,
    "short lines": lambda size: "x\n" * (size // 2),
    "carriage returns": lambda size: "\r" * size,
    "a progress bar": lambda size: "12 %\r\x1b[0m" * (size // 9),
    "sequences that never end": lambda size: "\x1b[0\x1b]0;" * (size // 7),
    "invisible characters": lambda size: "\u200b\u200d" * (size // 2),
    "joined emoji": lambda size: "\U0001f468\u200d" * (size // 2),
    "flags": lambda size: "\U0001f3f4\U000e0061" * (size // 2),
    "blanks": lambda size: " " * size + "x",
    "blank lines": lambda size: " \n" * (size // 2) + "x",
    "ends of a sentence": lambda size: "http://a.b/" + "." * size + "x",
    "brackets that close": lambda size: "http://a.b/" + ")" * size,
    "brackets that open": lambda size: "![" * (size // 2),
    "images": lambda size: "![a](" * (size // 5),
    "addresses": lambda size: "https://a.b/c\uff0c" * (size // 14),
    "code that begins with a blank": lambda size: "` " + "x " * (size // 2) + "x`",
    "backticks": lambda size: "`" * size + "x",
    "fences": lambda size: "```\nx\n" * (size // 6),
    "hashes": lambda size: "# " * (size // 2) + "x",
    "emphasis": lambda size: "*a **b " * (size // 7),
    "quotes": lambda size: "> " * (size // 2),
    "items": lambda size: "- a\n" * (size // 4),
    "definitions": lambda size: "".join(f"[a{number}]: b\n" for number in range(size // 12)),
    "open definitions": lambda size: "[a]:\n" * (size // 5),
    "tables": lambda size: "|a|b|\n|-|-|\n" + "|c|d|\n" * (size // 6),
    "entities": lambda size: "&amp" * (size // 4),
    "colons": lambda size: ":a" * (size // 2),
    "markup": lambda size: "<a" * (size // 2),
    "comments": lambda size: "<!-- " * (size // 5),
}
BIG = 40_000


def _event(made: Callable[[str], events.Event]) -> Callable[[str], object]:
    return lambda given: export.as_markdown(stored([made(given)])) + export.as_text(stored([made(given)]))


def _console(given: str) -> object:
    call = events.ToolUse(id="t", name="Bash", input={"command": given})
    answer = events.ToolResult(tool_use_id="t", content=given, is_error=True, data={"stdout": given})
    (turn,) = turns.turns(stored([call, answer]))
    (shown,) = turn.calls()
    return tool_results.output(shown), tool_results.answer(shown), tool_results.exit_code(shown)


#: What reads foreign text, and how long a text it is given at most.
READERS: dict[str, tuple[Callable[[str], object], int]] = {
    "plain": (plain.plain, BIG),
    "visible": (plain.visible, BIG),
    "console": (plain.console, BIG),
    "hidden_characters": (plain.hidden_characters, BIG),
    "markdown": (markdown.rewrite, BIG // 2),
    "label": (labels.safe_label, BIG),
    "cut": (labels.cut, BIG),
    "paragraphs": (finished, BIG),
    "live text": (live_text.part, BIG),
    "diff, written": (lambda given: diffs.diff_lines("", given), BIG),
    "diff, edited": (lambda given: diffs.diff_lines(given, given[: len(given) // 2] + "y" + given), BIG),
    "search text": (lambda given: searchable_text(events.ToolResult(tool_use_id="t", content=given)), BIG),
    "list search": (folded, BIG),
    "export of an answer": (_event(lambda given: events.Text(content=given)), BIG),
    "export of a prompt": (_event(lambda given: events.User(text=given)), BIG),
    "export of a call": (_event(lambda given: events.ToolUse(id="t", name="Bash", input={"command": given})), BIG),
    "export of an output": (_event(lambda given: events.ToolResult(tool_use_id="t", content=given)), BIG),
    "answer of a tool": (_console, BIG),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reader", READERS)
def test_twice_the_text_takes_at_most_three_times_as_long(reader: str, shape: str) -> None:
    read, most = READERS[reader]
    half, whole = SHAPES[shape](most // 2), SHAPES[shape](most)

    # Other programs run on this machine: what is asked is whether any run shows it.
    assert any(_seconds(read, whole) <= 3 * _seconds(read, half) + 0.005 for _ in range(5))


def _seconds(read: Callable[[str], object], given: str) -> float:
    """Processor time of one call, in seconds; the least of two."""
    took = []
    for _ in range(2):
        start = time.thread_time()
        read(given)
        took.append(time.thread_time() - start)
    return min(took)
