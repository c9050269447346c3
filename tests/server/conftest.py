"""A process of guests' pages that serves none: the stub in its place."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from lulu import runtime
from lulu.server.guests import supervisor
from lulu.settings import Settings
from lulu.store import Bus
from tests.server.guests import Told


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    path = tmp_path / "told"
    monkeypatch.setenv("STUB_GUESTS", str(path))
    return Told(path)


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def stubbed(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stub in the place of Streamlit, a Lulu that has only a bus, and the folder for temporary files."""
    place = tmp_path / "t"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setattr(supervisor, "_LONGEST_PLACE", 200)
    monkeypatch.chdir(place)
    monkeypatch.setattr(supervisor, "MODULE", "tests.server.stub_guests")
    data = tmp_path / "data"
    data.mkdir()
    current = SimpleNamespace(settings=Settings(data_dir=data), store=SimpleNamespace(bus=bus, path=data / "lulu.db"))
    monkeypatch.setattr(runtime, "current", lambda: current)
    return place
