"""Another user of this computer, and what lies in Lulu's folder: the system itself refuses."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lulu import runtime
from lulu.access.links import CONTROL_FILE, welcome
from lulu.settings import Settings
from tests.store.files import make_released

#: "nobody", wherever there is one: no user of these tests.
NOBODY = 65534
NOT_LULU_S = "letters.txt"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed to others already."""
    folder = Path(tempfile.mkdtemp(prefix="lulu-others-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def is_refused(*command: str) -> bool:
    """Whether the system refuses this to another user."""
    done = subprocess.run(
        command,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.defpath},
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) is not ("Permission denied" in done.stderr), done.stderr
    return done.returncode != 0


def closed_to_others(path: Path) -> bool:
    """Whether another user can neither read nor change it; by its mode where this is no root, who could try."""
    if os.getuid() != 0:
        return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    return is_refused("cat", str(path)) and is_refused("sh", "-c", ': >> "$0"', str(path))


@pytest.mark.parametrize("has_other_things", [False, True], ids=["own folder", "folder with other things"])
def test_another_user_reads_nothing_of_lulu_s(place: Path, has_other_things: bool) -> None:
    data = place / "data"
    data.mkdir(mode=0o755)
    if has_other_things:
        (data / NOT_LULU_S).write_text("Dear all")
    make_released(data / "lulu.db", "001")
    (data / "lulu.db").chmod(0o644)

    lulu = runtime.start(Settings(data_dir=data, agent="demo", open_browser=False, working_directory=place))
    welcome(lulu, "http://127.0.0.1:1/")
    ours = [path for path in data.iterdir() if path.name != NOT_LULU_S]

    names = {path.name for path in ours}
    assert {"lulu.db", "lulu.db-wal", CONTROL_FILE} <= names
    assert [name for name in names if "backup" in name]
    assert [path.name for path in ours if not closed_to_others(path)] == []
    # What is not Lulu's stays as it was: there the files alone are closed, elsewhere the folder is, too.
    assert (stat.S_IMODE(data.stat().st_mode) == 0o700) is not has_other_things
    if os.getuid() == 0:
        assert is_refused("ls", str(data)) is not has_other_things
        assert not is_refused("ls", str(place))
