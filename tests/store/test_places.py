"""Where the file lies: folders and files that cannot be written, odd names, links, and who may read what."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lulu.errors import DatabaseInUse, DatabaseUnwritable, StoreError
from lulu.model.events import Text
from lulu.model.sessions import Launch
from lulu.store import Store
from tests.store.files import execute, make_seed, rows_of
from tests.support import ROOT, eventually

#: Opens a store as somebody whom permissions bind: root becomes "nobody" after all imports.
AS_A_USER = """
import os, sys, tempfile
from pathlib import Path
from lulu.errors import LuluError
from lulu.store import Store
Store.open(Path(tempfile.mkdtemp()) / "lulu.db").close()
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    Store.open(Path(sys.argv[1])).close()
except LuluError as problem:
    sys.stdout.write(f"{type(problem).__name__}|{problem.happened}|{problem.safe}|{problem.next_step}")
else:
    sys.stdout.write("opened")
"""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for place in [folder, *folder.rglob("*")]:
        if place.is_dir():
            place.chmod(0o700)
    shutil.rmtree(folder)


def _open_as_a_user(path: Path) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", AS_A_USER, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split("|")


def _content(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("make", ["file", "folder", "log", "log index", "unreadable", "no folder to make"])
def test_without_permission_it_says_so_and_changes_nothing(public: Path, make: str) -> None:
    path = make_seed(public / "data" / "lulu.db")
    Store.open(path).close()
    path.chmod(0o666)
    path.parent.chmod(0o777)
    match make:
        case "file":
            path.chmod(0o444)
        case "folder":
            path.parent.chmod(0o555)
        case "log" | "log index":
            side = path.with_name("lulu.db-wal" if make == "log" else "lulu.db-shm")
            side.touch()
            side.chmod(0o444)
        case "unreadable":
            path.chmod(0o000)
        case "no folder to make":
            path.parent.chmod(0o555)
            path = path.parent / "deeper" / "lulu.db"
    path.parent.parent.chmod(0o755)
    for file in public.rglob("lulu.db.lock"):
        file.chmod(0o666)
    before = _content(public)

    kind, happened, safe, next_step = _open_as_a_user(path)

    assert kind == "DatabaseUnwritable"
    assert str(path) in happened
    assert (safe, bool(next_step)) == ("Nothing was changed.", True)
    after = _content(public)
    assert {name: after[name] for name in before} == before
    assert all(name.endswith(".lock") for name in after.keys() - before.keys())


def test_with_permission_the_same_user_opens_it(public: Path) -> None:
    public.chmod(0o777)

    assert _open_as_a_user(public / "new" / "lulu.db") == ["opened"]


def test_file_of_somebody_else_that_cannot_be_made_private_is_refused(public: Path) -> None:
    path = public / "data" / "lulu.db"
    Store.open(path).close()
    for file in path.parent.iterdir():
        file.chmod(0o666)
    path.parent.chmod(0o777)
    answer = _open_as_a_user(path)

    if os.geteuid() == 0:
        assert answer[0] == "DatabaseUnwritable"
        assert "private" in answer[1]
    else:
        assert answer == ["opened"]


def test_missing_folders_are_made_private(path: Path, tmp_path: Path) -> None:
    deep = tmp_path / "one" / "two" / "lulu.db"
    before = os.umask(0o000)
    try:
        Store.open(deep).close()
    finally:
        os.umask(before)

    assert [stat.S_IMODE(place.stat().st_mode) for place in (deep.parent, deep.parent.parent)] == [0o700, 0o700]


@pytest.mark.parametrize("kind", ["blank", "seed", "current"])
def test_every_file_is_private(path: Path, launch: Launch, kind: str) -> None:
    if kind == "seed":
        make_seed(path)
    if kind == "current":
        Store.open(path).close()
        for file in path.parent.iterdir():
            file.chmod(0o644)
    before = os.umask(0o000)
    try:
        store = Store.open(path)
        store.sessions.insert(launch)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)

    assert {"lulu.db", "lulu.db-wal", "lulu.db-shm", "lulu.db.lock", "lulu.db.owner"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert os.umask(before) == before


def test_folder_that_the_owner_chose_keeps_its_mode_and_its_other_files(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    other = path.parent / "notes.txt"
    other.write_text("mine")
    other.chmod(0o644)
    (path.parent / "lulu.db-stuff").mkdir(mode=0o755)

    Store.open(path).close()

    places = (path.parent, other, path.parent / "lulu.db-stuff")
    assert [stat.S_IMODE(place.stat().st_mode) for place in places] == [0o755, 0o644, 0o755]


@pytest.mark.parametrize(
    "name", ["a b", "50%", "%41", "q?mode=ro", "h#ash", "semi;colon", "Überblick 😀", "back\\slash", "[1]*", "'quote\""]
)
def test_odd_names_are_only_names(tmp_path: Path, launch: Launch, name: str) -> None:
    path = make_seed(tmp_path / name / f"{name}.db")

    store = Store.open(path)
    session_id = store.sessions.insert(launch)
    store.close()

    assert sorted(place.name for place in tmp_path.iterdir()) == sorted({"home", "work", name})
    assert (session_id,) in execute(path, "SELECT id FROM sessions")
    assert len(rows_of(path)[0]) == 4


def test_name_that_is_no_utf8(tmp_path: Path, launch: Launch) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9") / "lulu.db"

    store = Store.open(path)
    session_id = store.sessions.insert(launch)
    store.close()

    assert execute(path, "SELECT id FROM sessions") == [(session_id,)]


def test_link_to_the_file_stays_a_link_and_shares_its_lock(path: Path, tmp_path: Path) -> None:
    make_seed(path)
    link = tmp_path / "link.db"
    link.symlink_to(path)

    store = Store.open(link)
    with pytest.raises(DatabaseInUse):
        Store.open(path)
    store.close()

    assert link.is_symlink()
    assert len(rows_of(path)[0]) == 3


@pytest.mark.parametrize("what", ["a folder", "a pipe", "under a file", "a loop", "too long", "side folder"])
def test_what_cannot_be_a_database_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "lulu.db"
    match what:
        case "a folder":
            path.mkdir()
        case "a pipe":
            os.mkfifo(path)
        case "under a file":
            path.touch()
            path = path / "deeper" / "lulu.db"
        case "a loop":
            path.symlink_to(path)
        case "too long":
            path = tmp_path / ("x" * 300) / "lulu.db"
        case "side folder":
            path.with_name("lulu.db-wal").mkdir()

    with pytest.raises(DatabaseUnwritable) as refused:
        Store.open(path)

    assert str(path) in refused.value.happened
    assert refused.value.next_step


def test_relative_path_is_fixed_at_once(tmp_path: Path, launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(Path("lulu.db"))
    here = Path.cwd()
    monkeypatch.chdir(tmp_path)

    session_id = store.sessions.insert(launch)
    store.close()

    assert execute(here / "lulu.db", "SELECT id FROM sessions") == [(session_id,)]


def test_file_that_is_moved_away_takes_no_more_writes_until_it_is_back(
    path: Path, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lulu.store.sqlite.writer.PATIENCE", 0.5)
    store = Store.open(path)
    session_id = store.sessions.insert(launch)
    away = path.with_name("away.db")
    path.rename(away)

    with pytest.raises(StoreError) as told:
        store.events.insert(session_id, Text(content="nobody would find this"))
    problem = store.health.problem
    away.rename(path)
    event_id = store.events.insert(session_id, Text(content="back again"))
    events = store.events.of_session(session_id)
    store.close()

    assert "moved" in told.value.happened
    assert problem is not None
    assert "restart Lulu" in problem.next_step
    assert [event.id for event in events] == [event_id]
    assert store.health.ok


def test_reader_never_makes_a_new_file(path: Path) -> None:
    store = Store.open(path)
    eventually(lambda: store.waiting == 0)
    path.unlink()

    with pytest.raises(StoreError) as told:
        store.sessions.latest()
    store.close()

    assert not path.exists()
    assert told.value.next_step


def test_full_disk_at_start_is_told_and_leaves_nothing_behind(public: Path) -> None:
    path = make_seed(public / "data" / "lulu.db", sessions=200, events=50)
    before = path.read_bytes()
    script = f"""
import resource, sys
from pathlib import Path
from lulu.errors import LuluError
from lulu.store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2}, {resource.RLIM_INFINITY}))
try:
    Store.open(Path(sys.argv[1]))
except LuluError as problem:
    sys.stdout.write(type(problem).__name__ + "|" + problem.happened)
"""

    ran = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("DatabaseUnwritable|")
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["lulu.db", "lulu.db.lock"]
    store = Store.open(path)
    assert len(store.sessions.latest(limit=500)) == 200
    store.close()
