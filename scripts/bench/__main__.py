"""``make bench`` measures every row and writes the table; ``make bench ARGS="switch cold"`` prints only these rows."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from scripts.bench import asking, endurance, live, long_text, opening, redaction, report, searching, strangers
from scripts.bench.figures import ROWS, Figure
from scripts.bench.stage import Stage
from tests.support import clean_environ

#: The modules whose rows are measured, in this order: what takes longest comes last, for a run that is cut short.
MODULES = (opening, live, asking, long_text, redaction, strangers, endurance, searching)


def main() -> int:
    """Measure; the exit code says whether every target was met."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=7, help="how often each thing is measured (7)")
    wanted = parser.parse_args()
    if unknown := [name for name in wanted.rows if name not in ROWS]:
        parser.error(f"there is no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    print(report.machine())
    with tempfile.TemporaryDirectory(prefix="lulu-bench-") as name:
        environ = clean_environ(Path(name) / "home")
        os.environ.clear()
        os.environ.update(environ)
        with Stage(Path(name), wanted.rounds) as stage:
            figures: list[Figure] = []
            for row in wanted.rows or _in_order():
                figures += _measure(stage, row)
                if not wanted.rows:
                    # After each row: a run that is cut short has measured what it has.
                    report.write(figures, wanted.rounds)
    return 0 if all(figure.passed is not False for figure in figures) else 1


def _in_order() -> list[str]:
    """Every row, as ``MODULES`` stand."""
    modules = [module.__name__ for module in MODULES]
    return sorted(ROWS, key=lambda name: modules.index(ROWS[name].measure.__module__))


def _measure(stage: Stage, name: str) -> list[Figure]:
    print(f"{name}: {ROWS[name].about}", flush=True)
    figures = ROWS[name].measure(stage)
    for figure in figures:
        print(report.line(figure), flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
