"""Lulu is asked to end at the worst moment: an agent that resists, a page that is open, a database that is locked."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lulu.model.actors import Actor, Role
from lulu.model.commands import StartSession
from lulu.model.sessions import Launch, SessionId, new_session_id
from lulu.store import Store
from tests.agent import stubborn as wrapper
from tests.agent.claude_driver import bundled_cli, is_alive
from tests.conftest import Hold, NewServer
from tests.messages_api import MessagesApi
from tests.support import LuluServer, eventually, process_tree
from tests.tiers import keep_short

OWNER = Actor(role=Role.OWNER, name="this computer")


@pytest.fixture
def messages_api() -> Iterator[MessagesApi]:
    with MessagesApi() as api:
        yield api


def rows(lulu: LuluServer, sql: str, *values: object) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(lulu.database, timeout=10)) as connection:
        return connection.execute(sql, values).fetchall()


def queue_sessions(lulu: LuluServer) -> list[SessionId]:
    """Prompts that the server takes as soon as it starts: to an agent that resists, and to one that does not."""
    store = Store.open(lulu.database)
    sessions = []
    for name in ("stubborn", "willing"):
        folder = lulu.work_dir / name
        folder.mkdir()
        sessions.append(new_session_id())
        launch = Launch(prompt="SCN:slow WORDS=3000", working_directory=str(folder), agent="claude")
        store.commands.submit(StartSession(actor=OWNER, session_id=sessions[-1], launch=launch))
    store.close()
    return sessions


def visit(lulu: LuluServer, cookie: str) -> socket.socket:
    """A page that stays connected: it listens to the doorbell, and never reads what it hears."""
    visitor = socket.create_connection(("127.0.0.1", lulu.port))
    lines = [
        "GET /bell HTTP/1.1",
        f"Host: 127.0.0.1:{lulu.port}",
        f"Origin: {lulu.url}",
        f"Cookie: {cookie}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    visitor.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert b" 101 " in visitor.recv(200)
    return visitor


@pytest.mark.parametrize("signal_number", keep_short(1, signal.SIGTERM, signal.SIGINT))
def test_it_ends_with_a_locked_database_and_an_agent_that_resists(
    server: NewServer, messages_api: MessagesApi, hold: Hold, tmp_path: Path, signal_number: signal.Signals
) -> None:
    program = tmp_path / "claude-code"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{wrapper.__file__}' '{bundled_cli()}' \"$@\"\n")
    program.chmod(0o755)
    env = {"LULU_AGENT": "claude", "LULU_CLAUDE_CLI_PATH": str(program), **messages_api.environment}
    lulu = server(env={**env, "PATH": os.environ["PATH"]}, start=False)
    sessions = queue_sessions(lulu)
    lulu.start()
    live = "SELECT count(*) FROM live_text WHERE text LIKE '%word5%'"
    eventually(lambda: rows(lulu, live) == [(2,)], timeout=60)
    shown = [str(text) for (text,) in rows(lulu, "SELECT text FROM live_text")]
    processes = process_tree(lulu.pid)
    cookie = lulu.sign_in()
    release = hold(lulu.database)

    with visit(lulu, cookie):
        # Neither is the file unlocked nor the page closed before.
        lulu.terminate(signal_number=signal_number)

    assert len(processes) > 2
    eventually(lambda: not any(is_alive(process) for process in processes), retry_on=(psutil.Error,))
    assert "Traceback" not in lulu.log
    release()
    assert rows(lulu, "PRAGMA integrity_check") == [("ok",)]
    lulu.start()
    found = "SELECT status FROM sessions WHERE id IN (?, ?)"
    eventually(lambda: rows(lulu, found, *sessions) == [("interrupted",)] * 2, timeout=30)
    said = "SELECT json_extract(payload, '$.content') FROM conversation_events WHERE event_type = 'text'"
    texts = [str(text) for (text,) in rows(lulu, said)]
    assert all(any(text.startswith(part) for text in texts) for part in shown)
