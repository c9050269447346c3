"""The table of one run, in ``docs/performance.md`` and on the terminal."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import psutil

from scripts.bench.figures import Figure
from tests.support import ROOT

PAGE = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- written by make bench -->", "<!-- end -->"


def line(figure: Figure) -> str:
    """One figure for the terminal."""
    parts = [f"{_number(figure.value)} {figure.unit}", _target(figure), _verdict(figure)]
    if figure.static is not None:
        parts.append(f"static page: {_beside(figure)}")
    if figure.note:
        parts.append(f"({figure.note})")
    return f"  {figure.what}: {' '.join(part for part in parts if part)}"


def write(figures: list[Figure], rounds: int) -> None:
    """Put the table of this run in the place of the last one."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    PAGE.write_text(f"{before}{_BEGIN}\n\n{_table(figures, rounds)}\n{_END}{after}", encoding="utf-8")


def _table(figures: list[Figure], rounds: int) -> str:
    lines = [
        f"One run on {datetime.now(UTC):%Y-%m-%d}: {machine()}. Medians of {rounds} rounds where nothing else is said.",
        "",
        "| What | Figure | Target | | Static HTML page | Note |",
        "|---|---:|---:|---|---:|---|",
    ]
    for figure in figures:
        cells = [
            figure.what,
            f"{_number(figure.value)} {figure.unit}".rstrip(),
            _target(figure),
            _verdict(figure),
            _beside(figure),
            figure.note,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What this machine is, and how busy it was."""
    cores = os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{_processor()}, {cores} cores, {memory:.0f} GB, {system}, load {load}"


def _processor() -> str:
    try:
        found = [row for row in Path("/proc/cpuinfo").read_text().splitlines() if row.startswith("model name")]
    except OSError:
        found = []
    return found[0].partition(":")[2].strip() if found else platform.processor() or platform.machine()


def _number(value: float) -> str:
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}"


def _target(figure: Figure) -> str:
    if figure.most is not None:
        return f"≤ {_number(figure.most)} {figure.unit}".rstrip()
    return f"≥ {_number(figure.least)} {figure.unit}".rstrip() if figure.least is not None else ""


def _verdict(figure: Figure) -> str:
    return {True: "pass", False: "**FAIL**", None: ""}[figure.passed]


def _beside(figure: Figure) -> str:
    if figure.static is None:
        return ""
    return f"{_number(figure.static)} {figure.unit} (×{figure.value / figure.static:.2f})"
