"""Made-up transcripts in realistic proportions: of 20 events, 8 belong to tool calls; code, diffs and long outputs.

The same seed gives the same transcript. No data of anybody is in them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from lulu.model.events import Event, Result, Text, Thinking, ToolResult, ToolUse, User

_WORDS = [
    *("the", "invoice", "total", "is", "rounded", "on", "every", "line", "before", "tax", "so", "a", "cent", "gets"),
    *("lost", "when", "amounts", "are", "odd", "and", "nobody", "sees", "it", "until", "month", "closed", "which"),
    *("why", "test", "with", "three", "fails", "here", "but", "passes", "over", "there"),
]
_CODE = '''\
```python
def total(lines: Sequence[Line]) -> Decimal:
    """The sum of all lines, rounded once."""
    amount = sum((line.net * line.quantity for line in lines), start=Decimal())
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
```
'''
_LIST = "1. read `billing/total.py`\n2. round **once**, at the end\n3. run the tests\n"


def last_words(tag: str) -> str:
    """The last thing that the agent says in a transcript: what a page is looked at for."""
    return f"Last words of {tag}."


def transcript(tag: str, events: int) -> Iterator[Event]:
    """So many events; the last turn's answer ends with ``last_words``, and its result follows."""
    made = random.Random(tag)
    count = 0
    while count < events - 20:
        for event in _turn(made, f"{tag}-{count}", f"Look into step {count} of {tag}."):
            yield event
            count += 1
    left = events - count
    yield User(text=f"And the end of {tag}?", actor="this computer")
    for number in range(left - 3):
        yield Text(content=_sentence(made, 20 + number))
    yield Text(content=last_words(tag))
    yield _result()


def sentences(tag: str, count: int) -> Iterator[str]:
    """So many sentences of 25 words."""
    made = random.Random(tag)
    for _ in range(count):
        yield _sentence(made, 25)


def _turn(made: random.Random, key: str, prompt: str) -> Iterator[Event]:
    """20 events: a prompt, three thoughts, seven texts, four tool calls with their answers, a result."""
    yield User(text=prompt, actor="this computer")
    for number, (name, tool_input, output, data) in enumerate(_calls(made)):
        if number < 3:
            yield Thinking(content=_sentence(made, 60))
        yield Text(content=_sentence(made, 25))
        failed = made.random() < 0.05
        yield ToolUse(id=f"{key}-{number}", name=name, input=tool_input)
        yield ToolResult(
            tool_use_id=f"{key}-{number}", content=output, is_error=failed, data="It failed." if failed else data
        )
    yield Text(content=f"{_sentence(made, 30)}\n\n{_CODE}")
    yield Text(content=f"## What is left\n\n{_LIST}\n{_sentence(made, 40)}")
    yield Text(content=_sentence(made, 30))
    yield _result()


Call = tuple[str, dict[str, object], str, dict[str, object]]


def _calls(made: random.Random) -> Iterator[Call]:
    path = f"/home/ada/invoices/billing/part{made.randrange(40)}.py"
    yield "Read", {"file_path": path}, _lines(made, 60), {"type": "text"}
    yield (
        "Bash",
        {"command": f"python -m pytest -q tests/test_part{made.randrange(40)}.py", "description": "Run the tests"},
        _lines(made, made.choice((8, 40, 400))),
        {"stdout": "", "stderr": "", "interrupted": False},
    )
    yield "Grep", {"pattern": "quantize", "path": "/home/ada/invoices"}, _lines(made, 12), {"numFiles": 3}
    old, new = _lines(made, 6), _lines(made, 8)
    patch = {"oldStart": 10, "oldLines": 6, "newStart": 10, "newLines": 8, "lines": _diff(old, new)}
    yield (
        "Edit",
        {"file_path": path, "old_string": old, "new_string": new},
        f"The file {path} has been updated.",
        {"filePath": path, "structuredPatch": [patch]},
    )


def _diff(old: str, new: str) -> list[str]:
    return [f"-{line}" for line in old.splitlines()] + [f"+{line}" for line in new.splitlines()]


def _sentence(made: random.Random, words: int) -> str:
    said = " ".join(made.choice(_WORDS) for _ in range(words))
    return f"{said.capitalize()}, see `{made.choice(_WORDS)}.py` and **{made.choice(_WORDS)}**."


def _lines(made: random.Random, count: int) -> str:
    return "\n".join(f"{number:>4}    {' '.join(made.choices(_WORDS, k=7))}" for number in range(count))


def _result() -> Result:
    usage = {"input_tokens": 12, "output_tokens": 900, "cache_read_input_tokens": 40_000}
    return Result(duration_ms=42_000, cost_usd=0.12, total_cost_usd=0.12, num_turns=5, subtype="success", usage=usage)
