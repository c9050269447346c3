"""The folder of the guests' socket: what is Lulu's goes, and nothing else ever does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lulu.server.guests.socket_folder import MARK, SocketFolder, remove, sweep

#: A number that no process has.
GONE = 2**22 + 7


def listen(path: Path) -> None:
    """A socket there."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def left(place: Path, name: str = f"lulu-{GONE}-abcdefgh") -> Path:
    """A folder as a killed Lulu leaves it."""
    folder = place / name
    folder.mkdir(mode=0o700)
    (folder / MARK).touch()
    listen(folder / "pages")
    return folder


def unmarked(place: Path) -> Path:
    folder = left(place)
    (folder / MARK).unlink()
    return folder


def with_more(place: Path) -> Path:
    folder = left(place)
    (folder / "thesis.txt").write_text("mine")
    return folder


def with_a_folder(place: Path) -> Path:
    folder = left(place)
    (folder / "pages").unlink()
    (folder / "pages").mkdir()
    return folder


def with_pages_of_text(place: Path) -> Path:
    folder = left(place)
    (folder / "pages").unlink()
    (folder / "pages").write_text("mine")
    return folder


def with_words_in_the_mark(place: Path) -> Path:
    folder = left(place)
    (folder / MARK).write_text("mine")
    return folder


def with_a_mark_that_leads_away(place: Path) -> Path:
    folder = left(place)
    (place / "elsewhere").touch()
    (folder / MARK).unlink()
    (folder / MARK).symlink_to(place / "elsewhere")
    return folder


def a_link(place: Path) -> Path:
    mine = left(place, "mine")
    link = place / f"lulu-{GONE}-abcdefgh"
    link.symlink_to(mine)
    return mine


def of_another_name(place: Path) -> Path:
    return left(place, "lulu-2024-photos")


def named_like_ours(place: Path) -> Path:
    folder = place / f"lulu-{GONE}-my_notes"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    return folder


def a_file(place: Path) -> Path:
    path = place / f"lulu-{GONE}-abcdefgh"
    path.write_text("mine")
    return path


NOT_OURS = [
    unmarked,
    with_more,
    with_a_folder,
    with_pages_of_text,
    with_words_in_the_mark,
    with_a_mark_that_leads_away,
    a_link,
    of_another_name,
    named_like_ours,
    a_file,
]


def contents(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # A socket's address is short.
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("make", NOT_OURS)
def test_what_is_not_lulu_s_stays_whole(make: Callable[[Path], Path], place: Path) -> None:
    path = make(place)
    before = contents(place)

    sweep(place)
    if path.name != "lulu-2024-photos":
        # Of the name only the sweep thinks anything.
        remove(path) if path.name != "mine" else remove(place / f"lulu-{GONE}-abcdefgh")

    assert contents(place) == before


def test_what_a_killed_lulu_left_goes(place: Path) -> None:
    left(place)
    (left(place, f"lulu-{GONE}-hgfedcba") / "pages").unlink()

    sweep(place)

    assert contents(place) == []


def test_a_folder_in_use_stays_whoever_has_the_number_of_its_process(place: Path) -> None:
    # As seen from another container that shares the folder for temporary files: no such process, and a lock.
    code = (
        "import os, sys; from pathlib import Path; from lulu.server.guests.socket_folder import SocketFolder\n"
        f"os.getpid = lambda: {GONE}\n"
        "print(SocketFolder(Path(sys.argv[1])).path, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        folder = Path(other.stdout.readline().strip())
        sweep(place)
        while_it_lives = folder.exists()
        other.kill()
        other.wait(10)

    sweep(place)

    assert (while_it_lives, folder.exists()) == (True, False)


def test_one_that_is_used_no_more_is_removed_with_its_socket(place: Path) -> None:
    mine = SocketFolder(place)
    listen(mine.socket)

    mine.remove()

    assert contents(place) == []


def test_lulu_removes_no_tree() -> None:
    """``rmtree`` takes whatever is there: nothing of Lulu calls it."""
    root = Path(__file__).parents[2]
    calls = [path for path in (root / "lulu").rglob("*.py") if "rmtree" in path.read_text()]

    assert calls == []
