"""A guest's page is the owner's with another source: nothing on it comes from the store but through that."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection
from streamlit.testing.v1 import AppTest

from lulu.model import events
from lulu.model.actors import LULU, Actor, Role
from lulu.model.events import Event
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.server.push import live_text
from lulu.store import Change, LiveText, ShareOptions
from tests.access.test_sharing import KEY_LINE, PARTS
from tests.support import ROOT
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import ask, open_folds, text_of
from tests.ui.test_roles import AsActor, NewSession

SECRET = "ghp_" + "aB3d" * 9
HIDDEN = "[github token hidden]"
#: An event of each type, with the secret wherever a text can stand.
TURN: list[Event] = [
    events.User(text=f"use {SECRET}"),
    events.System(subtype="init", data={"key": SECRET}),
    events.System(subtype="compact", data={"note": SECRET}),
    events.Text(content=f"I use {SECRET}."),
    events.Thinking(content=f"hm, {SECRET}"),
    events.ToolUse(id="t", name="Bash", input={"command": f"echo {SECRET}"}),
    events.Permission(id="p", tool_use_id="t", tool_name="Bash", tool_input={"command": SECRET}, reason=SECRET),
    events.PermissionDecision(id="p", decision="approved", actor=SECRET, message=SECRET),
    events.ToolResult(tool_use_id="t", content=SECRET, data={"stdout": SECRET}),
    events.ToolUse(id="todo", name="TodoWrite", input={"todos": [{"content": SECRET, "status": "pending"}]}),
    events.Error(message=f"failed: {SECRET}", detail=SECRET, next_step=SECRET),
    events.Unknown(event_type="later", raw=f'{{"x": "{SECRET}"}}'),
]
END = events.Result(session_id="inner", result=f"done with {SECRET}", is_error=True, model_usage={"x": {"y": SECRET}})
ALL = ShareOptions(tool_output=True, thinking=True)


@pytest.fixture
def shared(lulu: Runtime, new_session: NewSession) -> SessionId:
    """A session at work that has a secret in all that is stored of it: settled, open, asked for and being written."""
    session_id = new_session(f"Push with {SECRET}", title=f"The {SECRET}", status=SessionStatus.RUNNING)
    lulu.store.events.append(session_id, [*TURN, END, *TURN])
    written = LiveText(message_id="m", kind="text", text=f"Now {SECRET} and ", updated_at=datetime.now(UTC))
    lulu.store.events.record(Change(session_id=session_id, live=written)).result(30)
    ask(lulu, session_id, tool_input={"command": SECRET})
    return session_id


@pytest.fixture
def guest(lulu: Runtime, shared: SessionId) -> Actor:
    """Somebody with whom all of it is shared."""
    made = lulu.store.access.share(LULU, shared, "a" * 64, expires_at=None, options=ALL, label="Ann")
    return Actor(role=Role.GUEST, name="Ann", access_id=made.id, session_id=shared)


def everything(app: AppTest) -> str:
    """All that the page hands to the browser, but for the sidebar."""
    return "\n".join(str(node.proto) for node in app.main)


def test_the_owner_s_page_shows_the_secret(open_page: OpenPage, shared: SessionId) -> None:
    app = open_folds(open_page("session", id=str(shared)))

    assert SECRET in everything(app)


@pytest.mark.parametrize("page", ["watch", "preview"])
def test_no_part_of_a_guest_s_page_has_the_secret(
    open_page: OpenPage, as_actor: AsActor, guest: Actor, shared: SessionId, page: str
) -> None:
    as_actor(guest if page == "watch" else OWNER)

    first = open_page(page, id=str(shared), output="1", thinking="1")
    told = everything(first)
    told += everything(open_folds(first))

    assert SECRET not in told
    assert HIDDEN in told
    assert "Hidden here: " in text_of(first)
    assert [widget for kind in ("chat_input", "text_input", "button") for widget in first.main.get(kind)] == []


def test_a_private_key_over_several_parts_of_a_page_is_hidden(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession, as_actor: AsActor
) -> None:
    session_id = new_session()
    made = lulu.store.access.share(LULU, session_id, "b" * 64, expires_at=None, options=ALL, label="Ann")
    as_actor(Actor(role=Role.GUEST, name="Ann", access_id=made.id, session_id=session_id))
    app = open_page("watch", id=str(session_id))

    for part in PARTS:
        lulu.store.events.append(session_id, [events.Text(content=part), events.Result()])
        app.run()

    shown = everything(app)
    assert [line for line in (f"\\n{KEY_LINE}", KEY_LINE[::-1], f"{KEY_LINE[1:]}\\n", "Xq9d3A") if line in shown] == []
    assert "Look:" in shown
    # Behind its end, a line of the same letters is none of the key.
    assert KEY_LINE[2:] in shown


def test_no_words_over_the_socket_have_the_secret(lulu: Runtime, shared: SessionId) -> None:
    lulu.store.events.append(shared, [events.Text(content=f"Again {SECRET}.")])

    said = live_text.told(lulu.store, live_text.SHARED, shared)

    assert SECRET not in repr(said)
    assert HIDDEN in repr(said)


def callers() -> Iterator[str]:
    """The product's files that this call goes through, the nearest first."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT / "lulu") or path.is_relative_to(ROOT / "pages"):
            yield path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", ["watch", "session"])
def test_only_the_redacting_source_reads_the_store_for_a_guest(
    open_page: OpenPage,
    as_actor: AsActor,
    guest: Actor,
    shared: SessionId,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
) -> None:
    readers: set[str] = set()
    execute = Connection.exec_driver_sql

    def spied(self: Connection, *args: Any, **kwargs: Any) -> object:
        files = list(callers())
        if any(name.startswith(("lulu/ui/", "pages/")) for name in files):
            readers.add(next(name for name in files if not name.startswith("lulu/store/")))
        return execute(self, *args, **kwargs)

    as_actor(guest if page == "watch" else OWNER)
    monkeypatch.setattr(Connection, "exec_driver_sql", spied)

    open_folds(open_page(page, id=str(shared)))

    outside = {name for name in readers if not name.startswith("lulu/access/")}
    # The owner's page shows that the others would be seen.
    assert outside == set() if page == "watch" else "lulu/ui/session/checklist.py" in outside
    assert "lulu/access/source.py" in readers


def test_what_draws_for_guests_is_given_a_source_and_imports_no_store() -> None:
    of_rows = {"lulu.runtime", "lulu.store.Store", "lulu.access.source.OwnerEvents"}

    tree = ast.parse((ROOT / "lulu/ui/session/guest.py").read_text())
    names = {
        f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }

    assert names
    assert [name for name in names if name in of_rows or name.startswith("lulu.runtime")] == []
