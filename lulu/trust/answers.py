"""Decide whether a folder's files may act: the owner's answers, compared with the present files.

An answer belongs to the folder with the files, and has a fingerprint of them. It is also valid for every folder below,
and for other checkouts of the same repository that contain no other such files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lulu.trust.folder_files import SILENT, Brought, Finding, Place, checkout_of


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The owner's answer about a folder."""

    folder: str
    #: Whether its files may act. If not, sessions run without them, also after a change.
    trusted: bool
    #: The files that the owner was shown, as ``Place.entries`` has them.
    entries: dict[str, str]
    answered_by: str
    answered_at: datetime


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A folder that needs an answer of the owner."""

    place: Place
    #: The changes since the owner trusted it, one per file, such as ``new: …``; ``None`` if it was never trusted.
    changes: list[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The decision about a working directory."""

    #: Whether its own settings apply.
    trusted: bool
    #: The folders to ask the owner about before a prompt is sent there.
    asked: list[Asked]


def judge(brought: Brought, answers: Mapping[str, Answer]) -> Verdict:
    """Return the decision about a folder, from the owner's answers about its present files.

    Without such files, later ones do not act either, unless the owner has trusted one of the folders.
    """
    if not brought.places:
        trusted = any(answer.trusted for folder in brought.folders if (answer := answers.get(folder)))
        return Verdict(trusted=trusted, asked=[])
    unknown = [place for place in brought.places if not _is_trusted(place, answers)]
    asked = []
    for place in unknown:
        answer = answers.get(place.folder)
        if answer is None or place.problem == SILENT:
            # A silent folder cannot be judged, and an agent that starts there may hang.
            asked.append(Asked(place=place))
        elif answer.trusted:
            asked.append(Asked(place=place, changes=differences(answer.entries, place.entries)))
    return Verdict(trusted=not unknown, asked=asked)


def _is_trusted(place: Place, answers: Mapping[str, Answer]) -> bool:
    if place.problem is not None:
        return False
    own = answers.get(place.folder)
    if own is not None and (not own.trusted or own.entries == place.entries):
        return own.trusted
    checkout = checkout_of(place.folder)
    return checkout is not None and any(
        answer.trusted and place.entries.items() <= answer.entries.items() and checkout_of(answer.folder) == checkout
        for answer in answers.values()
    )


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the new, gone and changed files, one per line."""
    names = sorted({*before, *after})
    return [
        f"{'new' if name not in before else 'gone' if name not in after else 'changed'}: {name}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def encode(asked: Iterable[Asked]) -> str:
    """Return a question as ASCII JSON."""
    return json.dumps([asdict(one) for one in asked], ensure_ascii=True, separators=(",", ":"))


def decode(text: str) -> list[Asked]:
    """Return the question that ``encode`` wrote, or an empty list if this version cannot read it."""
    try:
        return [_asked(one) for one in json.loads(text)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def _asked(value: dict[str, Any]) -> Asked:
    place = value["place"]
    findings = [Finding(**finding) for finding in place.pop("findings")]
    return Asked(place=Place(**place, findings=findings), changes=value["changes"])
