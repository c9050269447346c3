"""Changes lulu/rules in small ways, runs its tests against each change, and fails where none of them notices.

    make mutants ARGS="lulu.rules.hosts.*"   # one module; without ARGS all of lulu/rules, which takes hours

``[tool.mutmut]`` in pyproject.toml says what is changed and which tests run.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

_MUTMUT = Path(sys.executable).with_name("mutmut")
_LINE = re.compile(r"\s*(\S+): (.+)")
#: A change that no test reached, or that every test passed with.
_UNNOTICED = frozenset({"survived", "no tests", "suspicious"})


def unnoticed(results: Iterable[str], patterns: list[str]) -> list[str]:
    """Return the names of the changes that no test has noticed, from the lines of ``mutmut results``."""
    found = [match for line in results if (match := _LINE.fullmatch(line))]
    return [
        match[1] for match in found if match[2] in _UNNOTICED and any(fnmatchcase(match[1], each) for each in patterns)
    ]


def main() -> int:
    """Return 0 if a test notices each change, else 1."""
    patterns = sys.argv[1:] or ["lulu.rules.*"]
    ended = subprocess.run([_MUTMUT, "run", *patterns], check=False)
    if ended.returncode:
        return ended.returncode
    results = subprocess.run([_MUTMUT, "results"], check=True, capture_output=True, text=True).stdout
    names = unnoticed(results.splitlines(), patterns)
    for name in names:
        print(name)
    if names:
        print(f"No test notices these {len(names)} changes. See one with: .venv/bin/mutmut show NAME")
    return bool(names)


if __name__ == "__main__":
    sys.exit(main())
