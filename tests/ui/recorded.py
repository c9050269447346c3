"""The samples beside this file: calls of every tool and events of every type, in the shapes that Claude Code writes.

One file each: what it is ``about``, the ``events`` as ``[type, payload]``, what a reader must see of it folded
(``line``) and open (``shows``), and what must not be there (``hides``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lulu.model.events import Event, decode

FOLDER = Path(__file__).parent / "samples"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One recorded sample."""

    name: str
    about: str
    events: list[Event]
    line: list[str]
    shows: list[str]
    hides: list[str]


def _read(path: Path) -> Sample:
    found: dict[str, Any] = json.loads(path.read_text())
    events = [decode(kind, json.dumps(payload, separators=(",", ":"))) for kind, payload in found["events"]]
    return Sample(
        name=path.stem,
        about=found["about"],
        events=events,
        line=found["line"],
        shows=found["shows"],
        hides=found.get("hides", []),
    )


#: Every sample, by its file's name.
SAMPLES = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.json"))}
