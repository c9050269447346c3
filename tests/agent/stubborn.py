"""A Claude Code that does not stop: it passes everything on to the real one, but in some folders it is hard of hearing.

In a folder named ``deaf`` it drops interrupts; in one named ``stubborn`` it ignores SIGTERM as well.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

_FOLDER = Path.cwd().name
_CHUNK = 1 << 16


def main(cli: str, *arguments: str) -> int:
    """Run it until it ends; its exit code."""
    process = subprocess.Popen([cli, *arguments], stdin=subprocess.PIPE)

    def pass_on(number: int, frame: FrameType | None) -> None:
        if _FOLDER != "stubborn":
            process.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    threading.Thread(target=_talk, args=(process,), daemon=True).start()
    return process.wait()


def _talk(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    rest = b""
    # Not ``sys.stdin``: a thread that holds its lock aborts the interpreter at its end.
    while chunk := os.read(0, _CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if _FOLDER not in ("deaf", "stubborn") or b'"subtype": "interrupt"' not in line:
                process.stdin.write(line + b"\n")
        process.stdin.flush()
    process.stdin.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
