"""The process of guests' pages, seen from within: it follows, and it ends with what it follows."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lulu.server.guests.socket_folder import SocketFolder
from lulu.store import Bus
from lulu.ui import guest_app


@pytest.mark.parametrize("end", ["", '{"floor": 1, "vers'])
def test_it_ends_with_its_input_in_the_middle_of_a_line_too(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = SocketFolder(Path()).socket
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
    bus, ended = Bus(), list[int]()
    number = bus.version("session:abc") + 7
    line = json.dumps({"floor": 1, "versions": {"session:abc": number}}) + "\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO((line + end).encode())))
    monkeypatch.setattr(os, "_exit", ended.append)

    guest_app._follow(bus, str(place))

    assert ended == [0]
    assert bus.version("session:abc") == number
    assert not place.parent.exists()
