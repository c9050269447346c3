"""One Lulu a file: the second is refused at once and told who the first is; no death keeps the lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lulu.errors import DatabaseInUse
from lulu.store import Store
from tests.support import eventually

FIRST = """
import subprocess, sys
from pathlib import Path
from lulu.store import Store
store = Store.open(Path(sys.argv[1]))
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
null = subprocess.DEVNULL
child = subprocess.Popen(sleep, stdin=null, stdout=null) if "child" in sys.argv else None
sys.stdout.write(f"{child.pid if child else 0}\\n")
sys.stdout.flush()
sys.stdin.read()
store.close()
"""


@contextmanager
def first(path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that has the store open, and its child's pid."""
    command = [sys.executable, "-c", FIRST, str(path), *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        yield process, child
    finally:
        process.communicate(timeout=30)
        if child:
            os.kill(child, signal.SIGKILL)


def test_second_is_refused_and_told_who_the_first_is(path: Path) -> None:
    with first(path) as (process, _):
        before = path.stat()
        with pytest.raises(DatabaseInUse) as refused:
            Store.open(path)
        # It was not waited for.
        assert process.poll() is None

    assert f"process {process.pid}," in refused.value.happened
    assert str(path) in refused.value.happened
    assert refused.value.next_step
    assert before.st_ino == path.stat().st_ino


def test_second_in_the_same_process_is_refused_and_harms_nothing(path: Path) -> None:
    store = Store.open(path)

    for _ in range(3):
        with pytest.raises(DatabaseInUse, match=f"process {os.getpid()},"):
            Store.open(path)
    store.close()

    Store.open(path).close()


def test_kill_frees_the_lock_even_while_a_child_lives(path: Path) -> None:
    with first(path, "child") as (process, child):
        process.kill()
        process.wait(60)
        os.kill(child, 0)

        store = Store.open(path)
        store.close()

    assert not path.with_name("lulu.db.owner").exists()


def test_first_that_closes_lets_the_second_in(path: Path) -> None:
    with first(path):
        pass

    Store.open(path).close()


def test_closing_twice_does_not_take_the_next_ones_name_away(path: Path) -> None:
    store = Store.open(path)
    store.close()

    with first(path) as (process, _):
        store.close()
        with pytest.raises(DatabaseInUse, match=f"process {process.pid},"):
            Store.open(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"pid": "x", "since": 1}', b"\xff\xfe"])
def test_unreadable_name_of_the_first_is_left_out(path: Path, content: bytes) -> None:
    store = Store.open(path)
    path.with_name("lulu.db.owner").write_bytes(content)

    with pytest.raises(DatabaseInUse, match=r"^Another Lulu is using"):
        Store.open(path)
    store.close()


def test_refused_start_leaves_no_lock_behind(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(Exception, match="not a file"):
        Store.open(path)
    path.rmdir()

    store = Store.open(path)
    store.close()

    assert eventually(lambda: not path.with_name("lulu.db.owner").exists())
