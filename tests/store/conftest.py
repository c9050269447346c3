"""A store in a folder of its own, for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lulu.sessions import Launch, SessionId
from lulu.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is, or will be."""
    return tmp_path / "data" / "lulu.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """An open store on a new file."""
    opened = Store.open(path)
    yield opened
    opened.close()


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """What a person asks for."""
    return Launch(prompt="Say hello", working_directory=str(tmp_path))


@pytest.fixture
def session_id(store: Store, launch: Launch) -> SessionId:
    """A session that is starting."""
    return store.insert_session(launch)
