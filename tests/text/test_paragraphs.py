"""Which part of a text that is still being written is finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lulu.text.paragraphs import finished

#: What stands before the bar is finished.
TEXTS = [
    "|",
    "|A paragraph that",
    "|Two lines\nof one",
    "One.\n\n|",
    "One.\n\n|Two",
    "One.\n \t\n|Two",
    "# A heading\n\n|And",
    "# A heading\n|its text",
    "|# A head",
    "|```ls -l``` shows files.\nThen",
    "|```ls",
    "Before\n|# A heading",
    "One:\n|- an item",
    "One:\n- an item\n|- another",
    "- an item\n|  1. within",
    "|- an item\n  and its second line",
    "|-",
    "|1.5 is no item",
    "One.\n|```python\nx = 1\n\ny = 2\n",
    "|```\n- no item\n# no heading\n~~~\n",
    "```\nx\n```\n|",
    "|```\nx\n```",
    "````\n```\n````\n|more",
    "~~~\nx\n~~~\n|~~~\ny",
    "|```\nx\n``` no end\n",
    "|| a | table |\n|---|---|\n| 1 | 2 |\n",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_finished(text: str) -> None:
    before, after = text.split("|", 1)

    assert finished(before + after) == len(before)


BLOCKS = st.lists(
    st.sampled_from(
        ["word", " ", "\n", "\n\n", "- ", "  - ", "1. ", "## ", "```", "~~~~", "```py\n", "`", "> ", "| a |", "    x"]
    ),
    max_size=30,
).map("".join)


@given(BLOCKS, st.integers(0, 100))
def test_more_text_never_takes_a_finished_part_back(text: str, cut: int) -> None:
    assert finished(text[:cut]) <= finished(text)


@given(BLOCKS)
def test_no_finished_part_ends_within_a_block_of_code(text: str) -> None:
    """As a parser reads it: a fence that is open to the end has not been finished."""
    part = text[: finished(text)]
    last = [token for token in MarkdownIt("commonmark").parse(part + "\n\nafter") if token.type == "fence"][-1:]

    assert all("after" not in token.content for token in last)
