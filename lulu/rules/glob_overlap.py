"""Whether two globs may match the same file. For deny rules: a search may lead to a denied file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from lulu.rules.sensitive_paths import folded

_SIGN = re.compile(r"\\(.)|([@!?*+]\([^()]*\))|(\[[!^]?\]?[^\]]*\])|(.)", re.DOTALL)
#: Longer globs count as overlapping.
_MOST = 300
_ANY, _ONE = "*", "?"


def paths_overlap(wanted: Sequence[str], searched: Sequence[str]) -> bool:
    """Whether the glob ``searched`` may lead to a path that ``wanted`` covers.

    Both must name something: ``*`` and ``**`` alone do not count.
    """

    @cache
    def meet(at: int, place: int, named: bool) -> bool:
        if at == len(wanted):
            return named
        if wanted[at] == "**" and meet(at + 1, place, named):
            return True
        if place == len(searched):
            return False
        if wanted[at] == "**":
            return meet(at, place + 1, named)
        if searched[place] == "**":
            return meet(at, place + 1, named) or meet(at + 1, place, named)
        names = wanted[at].strip("*") != "" and searched[place].strip("*") != ""
        return names_overlap(wanted[at], searched[place]) and meet(at + 1, place + 1, named or names)

    if len(wanted) * len(searched) > _MOST:
        return False
    return meet(0, 0, False)


@lru_cache(maxsize=4096)
def names_overlap(one: str, other: str) -> bool:
    """Whether some name matches both globs."""
    if len(one) > _MOST or len(other) > _MOST:
        return True
    left, right = _signs(one), _signs(other)
    # Positions in ``right`` that can be reached after what was read of ``left``.
    reached = _past_stars({0}, right)
    for sign in left:
        if sign == _ANY:
            reached = set(range(min(reached), len(right) + 1)) if reached else reached
        else:
            steps = {place if right[place] == _ANY else place + 1 for place in reached if _meet(sign, right, place)}
            reached = _past_stars(steps, right)
    return len(right) in reached


def _past_stars(places: set[int], signs: list[str]) -> set[int]:
    found = set(places)
    for place in range(min(places, default=len(signs)), len(signs)):
        if place in found and signs[place] == _ANY:
            found.add(place + 1)
    return found


def _meet(sign: str, others: list[str], place: int) -> bool:
    return place < len(others) and (others[place] in (_ANY, _ONE, sign) or sign == _ONE)


def _signs(glob: str) -> list[str]:
    signs: list[str] = []
    for escaped, choice, group, sign in _SIGN.findall(glob):
        if escaped:
            signs += [f"={letter}" for letter in folded(escaped)]
        elif choice:
            # `@(a|b)` counts as any text.
            signs.append(_ANY)
        elif group:
            # A group such as `[ab]` counts as any character.
            signs.append(_ONE)
        else:
            signs += [sign] if sign in "*?" else [f"={letter}" for letter in folded(sign)]
    return signs
