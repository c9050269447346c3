"""Write-ahead logs that were lost, damaged or left behind: kept, and never read into another file."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lulu.model.sessions import Launch
from lulu.store import Store
from lulu.store.sqlite import damage
from tests.store.files import integrity
from tests.store.questions import read_all, write

#: Damage is done in blocks of this size.
BLOCK = 4096

KILLED = """
import os, sys
from pathlib import Path
from lulu.model.events import Text
from lulu.store import Store
store = Store.open(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    store.events.insert("session-1", Text(content="in the log %d " % number * 50))
os.kill(os.getpid(), 9)
"""


def _die_with_a_log(path: Path, events: int = 50) -> Path:
    died = subprocess.run([sys.executable, "-c", KILLED, str(path), str(events)], check=False)
    assert died.returncode == -signal.SIGKILL
    log = path.with_name("lulu.db-wal")
    assert log.stat().st_size > BLOCK
    return log


@pytest.mark.parametrize("gone", [True, False], ids=["no file", "empty file"])
def test_log_of_a_lost_file_is_kept_and_not_read_into_the_new_one(damaged: Path, launch: Launch, gone: bool) -> None:
    content = _die_with_a_log(damaged).read_bytes()
    damaged.unlink()
    if not gone:
        damaged.touch()

    store = Store.open(damaged)
    write(store, launch)
    store.close()

    [kept] = damaged.parent.glob("lulu.db.corrupt-*-wal")
    assert kept.read_bytes() == content
    assert integrity(damaged) == "ok"
    assert "log" in str(store.notices[0])


def test_deleted_log_loses_no_more_than_itself(damaged: Path, launch: Launch) -> None:
    _die_with_a_log(damaged).unlink()

    store = Store.open(damaged)
    sessions = read_all(store)
    write(store, launch)
    store.close()

    assert sessions == 40
    assert integrity(damaged) == "ok"


@pytest.mark.parametrize("kind", ["all", "header", "zeros", "short"])
def test_garbage_in_the_logs_header_is_kept_aside(damaged: Path, launch: Launch, kind: str) -> None:
    log = _die_with_a_log(damaged)
    whole = log.read_bytes()
    content = {
        "all": random.Random(1).randbytes(len(whole)),
        "header": random.Random(2).randbytes(32) + whole[32:],
        "zeros": bytes(len(whole)),
        "short": whole[:20],
    }[kind]
    log.write_bytes(content)

    store = Store.open(damaged)
    sessions = read_all(store)
    write(store, launch)
    store.close()

    [kept] = damaged.parent.glob("lulu.db.corrupt-*-wal")
    assert kept.read_bytes() == content
    assert str(kept) in str(store.notices[0])
    assert sessions == 40
    assert integrity(damaged) == "ok"


@pytest.mark.parametrize("seed", range(5))
def test_garbage_further_down_the_log_ends_it_there(damaged: Path, launch: Launch, seed: int) -> None:
    log = _die_with_a_log(damaged)
    choice = random.Random(seed)
    with log.open("r+b") as file:
        file.seek(choice.randrange(32, log.stat().st_size - BLOCK))
        file.write(choice.randbytes(BLOCK))

    store = Store.open(damaged)
    sessions = read_all(store)
    write(store, launch)
    store.close()

    assert sessions == 40
    assert integrity(damaged) == "ok"


def test_sound_log_is_read(damaged: Path) -> None:
    log = _die_with_a_log(damaged, events=7)

    assert not damage.has_broken_log(damaged)
    assert log.exists()
    store = Store.open(damaged)
    events = store.events.of_session("session-1")
    store.close()

    assert not store.notices
    assert sum("in the log" in event.raw for event in events) == 7
