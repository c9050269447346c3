"""In the place of the guests' process: ``python -m tests.server.stub_guests FD`` keeps what is sent, or does not read.

What it does is in ``STUB_GUESTS``: a file to write each line to, or ``deaf``.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def main(role: str) -> None:
    """Until there is no more input."""
    if role == "deaf":
        signal.pause()
    for line in sys.stdin:
        with Path(role).open("a") as file:
            file.write(line)


if __name__ == "__main__":
    main(os.environ["STUB_GUESTS"])
