"""A running Lulu with the demo agent, and its pages opened by Streamlit's own test runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from streamlit.testing.v1 import AppTest

from lulu import runtime
from lulu.model.actors import Actor, Role
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.settings import Settings
from lulu.ui import identity

MAIN = Path(__file__).resolve().parents[2] / "lulu" / "ui" / "main.py"
OWNER = Actor(role=Role.OWNER, name="this computer")


class OpenPage(Protocol):
    """Opens a page of the app, as whoever ``as_actor`` last said."""

    def __call__(self, page: str = "home", **query: str | list[str]) -> AppTest: ...


@pytest.fixture
def lulu(tmp_path: Path) -> Iterator[Runtime]:
    """A Lulu of its own; the demo agent works in ``work``."""
    settings = Settings(data_dir=tmp_path / "data", agent="demo", working_directory=tmp_path / "work")
    yield runtime.start(settings)
    runtime.stop()


@pytest.fixture
def as_actor(monkeypatch: pytest.MonkeyPatch) -> Callable[[Actor], None]:
    """Say who looks at the pages."""

    def use(actor: Actor) -> None:
        monkeypatch.setattr(identity, "actor", lambda: actor)

    use(OWNER)
    return use


@pytest.fixture
def open_page(lulu: Runtime, as_actor: Callable[[Actor], None]) -> OpenPage:
    """Open a page, by the name of its file."""

    def opened(page: str = "home", **query: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(MAIN), default_timeout=60).run()
        if page != "home":
            app.switch_page(f"../../pages/{page}.py")
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return opened


@pytest.fixture
def new_session(lulu: Runtime, tmp_path: Path) -> Callable[..., SessionId]:
    """Make a session row, without an agent."""

    def made(
        prompt: str = "Fix the bug", *, title: str | None = None, status: SessionStatus = SessionStatus.COMPLETED
    ) -> SessionId:
        launch = Launch(prompt=prompt, title=title, working_directory=str(tmp_path / "work"), agent="demo")
        return lulu.store.sessions.insert(launch, status=status)

    return made


@pytest.fixture
def working(new_session: Callable[..., SessionId]) -> SessionId:
    """A session whose agent is at work."""
    return new_session("Clean up", status=SessionStatus.RUNNING)
