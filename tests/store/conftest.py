"""A store in a folder of its own, for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dataset
import pytest

from lulu.model.actors import LULU
from lulu.model.commands import SendPrompt
from lulu.model.events import System, Text
from lulu.model.sessions import Launch, SessionId
from lulu.store import Change, LiveText, Store
from lulu.store.sqlite import reader
from lulu.store.sqlite.connection import open_reader
from tests.store.files import make_seed
from tests.store.questions import request


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
    return store.sessions.insert(launch)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> list[dataset.Database]:
    """The readers' pool of every store that is opened from now on; named before the store."""
    made: list[dataset.Database] = []

    def opening(path: Path) -> dataset.Database:
        made.append(open_reader(path))
        return made[-1]

    monkeypatch.setattr(reader, "open_reader", opening)
    return made


@pytest.fixture
def busy(pool: list[dataset.Database], store: Store, session_id: SessionId) -> Store:
    """A store with a little of everything."""
    store.events.append(
        session_id, [Text(content="some words"), System(subtype="init", data={"session_id": session_id})]
    )
    store.approvals.ask(request(session_id)).result(30)
    store.commands.submit(SendPrompt(actor=LULU, session_id=session_id, text="more"))
    live = LiveText(
        message_id=None, kind="text", text="being written", updated_at=store.sessions.get(session_id).created_at
    )
    store.events.record(Change(session_id=session_id, live=live)).result(30)
    return store


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed database with long and short rows on some hundred pages."""
    path = make_seed(tmp_path_factory.mktemp("sound") / "lulu.db", sessions=40, events=20)
    store = Store.open(path)
    for number in range(40):
        store.events.append(f"session-{number}", [Text(content=f"{number} " * length) for length in (1, 300, 9000)])
    store.close()
    shutil.copy(path, path.with_name("copy"))
    return path.with_name("copy")


@pytest.fixture
def damaged(path: Path, sound: Path) -> Path:
    """A copy of it to damage."""
    path.parent.mkdir()
    shutil.copy(sound, path)
    return path
