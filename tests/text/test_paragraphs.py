"""Which part of a text that is still being written is finished."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lulu.text.paragraphs import finished

#: What the browser passes, too: ``tests/ui/browser/test_paragraphs.py``.
CASES = json.loads(Path(__file__).with_name("paragraphs.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["rest"]))
def test_what_is_finished(case: dict[str, str]) -> None:
    assert finished(case["finished"] + case["rest"]) == len(case["finished"])


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
