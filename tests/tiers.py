"""The two tiers of tests: ``make test`` tries a little of everything, ``make test-long`` what that left out.

``LULU_TEST_TIER=long`` selects the long tier; without it, pytest runs the short one. A test with the marker ``long``
runs in the long tier only. A test with the marker ``scaled`` runs in both, and takes its numbers from `scale`.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

_TIERS = ("short", "long")


def _selected() -> str:
    tier = os.environ.get("LULU_TEST_TIER", "short")
    if tier not in _TIERS:
        raise pytest.UsageError(f"LULU_TEST_TIER is {tier!r}. Set it to one of {', '.join(_TIERS)}.")
    return tier


#: The tier of this run.
TIER = _selected()


def scale(*, short: T, long: T) -> T:
    """Return the number, or the list, of this run's tier."""
    return long if TIER == "long" else short


def keep_short(count: int, *cases: Any) -> list[Any]:
    """Take the cases of a parametrized test; return them with the marker ``long`` on all after the first ``count``."""
    values = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [
        pytest.param(*case, marks=pytest.mark.long if number >= count else ()) for number, case in enumerate(values)
    ]


def belongs(item: pytest.Item) -> bool:
    """Return whether a test is part of this run's tier."""
    is_long = item.get_closest_marker("long") is not None
    return scale(short=not is_long, long=is_long or item.get_closest_marker("scaled") is not None)
