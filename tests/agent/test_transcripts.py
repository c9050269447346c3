"""What is read from Claude Code's own record of a conversation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lulu.agent import running_total


def line(**values: object) -> str:
    return json.dumps(values, separators=(",", ":"))


OLD, NEW = line(type="cost-state", totalCostUSD=0.5), line(type="cost-state", totalCostUSD=1.25)
TALK = line(type="user", message="x" * 5000)


@pytest.mark.parametrize(
    ("content", "total"),
    [
        ("\n".join([OLD, TALK, NEW, TALK, ""]), 1.25),
        ("\n".join([TALK, NEW]), 1.25),
        (NEW, 1.25),
        (TALK + "\n", 0.0),
        ("", 0.0),
        (TALK + "\n" + NEW[:-10] + "\n", None),
        (line(type="cost-state"), None),
        (line(type="cost-state", totalCostUSD="much"), None),
    ],
)
def test_running_total_is_the_last_that_was_written(tmp_path: Path, content: str, total: float | None) -> None:
    transcript = tmp_path / ".claude" / "projects" / "-home-ada" / "one.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_text(content)

    found = [running_total("one", {}, tmp_path), running_total("one", {"CLAUDE_CONFIG_DIR": str(tmp_path / ".claude")})]

    assert found == [total, total]


@pytest.mark.parametrize("conversation", ["two", "../one", "*", "", "one\0"])
def test_no_total_without_a_transcript(tmp_path: Path, conversation: str) -> None:
    (tmp_path / "projects" / "x").mkdir(parents=True)
    (tmp_path / "projects" / "x" / "one.jsonl").write_text(NEW)

    assert running_total(conversation, {"CLAUDE_CONFIG_DIR": str(tmp_path)}) is None
