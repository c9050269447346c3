"""A Claude Code that is slow to hear, or does not say all: it passes on what the real one says, but in some folders …

In a folder named ``late`` an interrupt arrives 3.3 s late and SIGTERM takes 0.8 s; in one named ``mute`` no result is
passed on; in one named ``odd`` its figures are words; in one named ``late-mute`` all of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import IO

_FOLDER = Path.cwd().name
_INTERRUPT, _SIGTERM = 3.3, 0.8
#: What an odd result says in the place of what is measured.
ODD = {"num_turns": "many", "total_cost_usd": "0.5", "origin": "somebody", "duration_ms": None, "usage": ["no"]}


def main(cli: str, *arguments: str) -> int:
    """Run it until it ends; its exit code."""
    process = subprocess.Popen([cli, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None

    def pass_on(number: int, frame: FrameType | None) -> None:
        threading.Timer(_SIGTERM if "late" in _FOLDER else 0, process.send_signal, (number,)).start()

    signal.signal(signal.SIGTERM, pass_on)
    threading.Thread(target=_listen, args=(process.stdin,), daemon=True).start()
    for line in process.stdout:
        if said := _said(line):
            os.write(1, said)
    return process.wait()


def _said(line: bytes) -> bytes:
    if b'"type":"result"' not in line:
        return line
    if "mute" in _FOLDER:
        return b""
    return json.dumps({**json.loads(line), **ODD}).encode() + b"\n" if _FOLDER == "odd" else line


def _listen(stdin: IO[bytes]) -> None:
    rest = b""
    while chunk := os.read(0, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if "late" in _FOLDER and b'"subtype": "interrupt"' in line:
                threading.Timer(_INTERRUPT, _write, (stdin, line)).start()
            else:
                _write(stdin, line)
    stdin.close()


def _write(stdin: IO[bytes], line: bytes) -> None:
    stdin.write(line + b"\n")
    stdin.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
