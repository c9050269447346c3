"""``kill -9`` at every step of a migration: the old file or the new one, never something between."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.tiers import keep_short

#: In memory where there is such a place: a hundred migrations wait for a disk a thousand times.
_MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
    yield made / "kills"
    shutil.rmtree(made)


@pytest.mark.parametrize(("kind", "every"), keep_short(1, ("blank", 3), ("seed", 1), ("log", 3), ("first", 3)))
def test_kill_at_every_step_leaves_the_old_file_or_the_new_one(folder: Path, kind: str, every: int) -> None:
    command = [sys.executable, "-m", "tests.store.killed", str(folder), kind, str(every)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["kills"] > 60 / every
    assert set(report["found"]) == {"old", "new"}
    assert report["found"]["old"] > 30 / every
    assert report["found"]["new"] > 3
