"""How long it takes to hide what a guest should not see."""

from __future__ import annotations

import json
import time
from pathlib import Path

from lulu.text.redaction.redact import Redactor
from scripts.bench.figures import Figure, row
from scripts.bench.stage import Stage


@row("redact")
def redact(stage: Stage) -> list[Figure]:
    """Redact 1 MB: prose, source code, the same as JSON writes it, and nothing but names of secrets."""
    hide = Redactor(home="/home/ada", names=["adas-laptop"], secrets=["a-secret-value"])
    code = "".join(path.read_text("utf-8") for path in sorted(Path("lulu").rglob("*.py")))
    texts = {
        "prose": "The quick brown fox jumps over the lazy dog. key=value token: foo https://example.org/a?b=c\n",
        "source code": code,
        "source code in JSON": json.dumps(code),
        "names of secrets": "password: x\n",
        "names of secrets with types": "password: str = field\n",
    }
    return [
        Figure(what=f"redact 1 MB, {name}", value=_took(hide, text, stage.rounds), unit="ms", most=150)
        for name, text in texts.items()
    ]


def _took(hide: Redactor, text: str, rounds: int) -> float:
    megabyte = (text * (1_000_000 // len(text) + 1))[:1_000_000]
    times = []
    for _ in range(rounds):
        began = time.thread_time()
        hide.text(megabyte)
        times.append(time.thread_time() - began)
    return min(times) * 1_000
