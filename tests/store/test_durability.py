"""What was acknowledged is there after ``kill -9``, each time."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lulu.model.events import Text
from lulu.store import Store
from tests.store.files import integrity
from tests.tiers import scale

KILLS = scale(short=3, long=10)

#: Four threads write as fast as they can; each tells what the store has acknowledged, one line an event.
WRITER = """
import json, sys, threading
from pathlib import Path
from lulu.model.events import Text
from lulu.model.sessions import Launch
from lulu.store import Change, LiveText, Store
store = Store.open(Path(sys.argv[1]))
run = sys.argv[2]
session_id = store.sessions.insert(Launch(prompt=run, working_directory="/"))
lock = threading.Lock()

def tell(content):
    with lock:
        sys.stdout.write(json.dumps([session_id, content]) + "\\n")
        sys.stdout.flush()

def write(name):
    number = 0
    while True:
        number += 1
        content = f"{run}.{name}.{number} " + "x" * (number * 37 % 5000)
        if name % 2:
            store.events.insert(session_id, Text(content=content))
        else:
            store.events.record(Change(session_id=session_id, events=[Text(content=content)])).result()
        tell(content)

for name in range(4):
    threading.Thread(target=write, args=[name], daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.scaled
def test_every_acknowledged_event_survives_every_kill(path: Path) -> None:
    told: list[tuple[str, str]] = []
    choice = random.Random(1)

    for run in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(path), str(run)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        # Killed in mid-write: after so many lines, and whatever else happens meanwhile.
        last = threading.Timer(120, process.kill)
        last.daemon = True
        last.start()
        for _ in range(choice.randrange(1, 80)):
            told.append(tuple(json.loads(process.stdout.readline())))
        process.send_signal(signal.SIGKILL)
        # The last line may be cut off.
        told += [tuple(json.loads(line)) for line in process.stdout if line.endswith("]\n")]
        assert process.wait(60) == -signal.SIGKILL
        last.cancel()
        process.stdout.close()

    store = Store.open(path)
    stored: dict[str, list[str]] = {
        session_id: [
            event.event.content for event in store.events.of_session(session_id) if isinstance(event.event, Text)
        ]
        for session_id in {session_id for session_id, _ in told}
    }
    notices = store.notices
    store.close()

    assert len(stored) == KILLS
    assert len(told) > 20 * KILLS
    assert [content for session_id, content in told if content not in stored[session_id]] == []
    for contents in stored.values():
        assert len(contents) == len(set(contents))
        for name in range(4):
            numbers = [int(text.split()[0].split(".")[2]) for text in contents if text.split(".")[1] == str(name)]
            assert numbers == list(range(1, len(numbers) + 1))
    assert integrity(path) == "ok"
    assert not notices
