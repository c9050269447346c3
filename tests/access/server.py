"""A running server with two sessions and a link of each kind, and the questions that are asked of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from lulu.access.tokens import hash_of, new_token
from lulu.model.actors import LULU
from lulu.model.events import Text, User
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import AccessKind, ShareOptions, Store
from tests.support import ROOT, LuluServer

SHARED, OTHER = "shared-session-1", "other-session-2"
SHARED_TEXT, OTHER_TEXT = "walrus in the open", "narwhal that nobody shared"
SECRET = "ghp_" + "aB3d" * 9

#: The address of every page that there is, the home page also under its own name.
PAGES = [f"/{path.stem}" for path in sorted((ROOT / "pages").glob("*.py"))]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True, kw_only=True)
class Lulu:
    """A running server with two sessions, and the tokens that were made for it."""

    server: LuluServer
    tokens: dict[str, str]

    @property
    def owner(self) -> str:
        """The owner's cookie."""
        return self.server.sign_in()

    def guest(self, *names: str) -> str:
        """The cookie of somebody with these shares."""
        return "lulu_guest=" + ".".join(self.tokens[name] for name in names or ("share",))

    def ask(self, path: str, *, method: str = "GET", cookie: str = "", **headers: str) -> httpx.Response:
        """One request, followed nowhere."""
        sent = {**({"Cookie": cookie} if cookie else {}), **{name.replace("_", "-"): headers[name] for name in headers}}
        return httpx.request(method, self.server.url + path, headers=sent, timeout=60, trust_env=False, verify=False)

    def login_token(self) -> str:
        """A fresh one-time token."""
        sent = {"Cookie": self.owner, "Origin": self.server.url}
        answer = httpx.post(
            f"{self.server.url}/control", json={"do": "login"}, headers=sent, trust_env=False, verify=False
        )
        return str(answer.json()["link"]).partition("?t=")[2]

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        with sqlite3.connect(f"file:{self.server.database}?mode=ro", uri=True) as database:
            tables = ["sessions", "conversation_events", "commands", "approvals", "auto_approve_rules", "settings"]
            return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def seed(data: Path) -> dict[str, str]:
    data.mkdir(parents=True)
    store = Store.open(data / "lulu.db")
    for session_id, text in ((SHARED, SHARED_TEXT), (OTHER, OTHER_TEXT)):
        launch = Launch(prompt=f"About a {text}", working_directory="/srv/project", title=f"The {text}")
        store.sessions.insert(launch, session_id=SessionId(session_id), status=SessionStatus.COMPLETED)
        store.events.append(session_id, [User(text=f"About a {text}"), Text(content=f"It is a {text}. {SECRET}")])
    names = ["share", "soon", "late", "revoked", "other", "pair", "pair_late", "pair_two"]
    tokens = {name: new_token() for name in names}
    now = datetime.now(UTC)

    def share(name: str, session_id: str, *, seconds: float | None = None) -> int:
        expires = None if seconds is None else now + timedelta(seconds=seconds)
        made = store.access.share(
            LULU, session_id, hash_of(tokens[name]), expires_at=expires, options=ShareOptions(), label=name
        )
        return made.id

    share("share", SHARED)
    share("other", OTHER)
    share("late", SHARED, seconds=-1)
    store.access.revoke(LULU, share("revoked", SHARED))
    for name, minutes in (("pair", 60.0), ("pair_two", 60.0), ("pair_late", -1.0)):
        store.access.make_link(LULU, AccessKind.PAIR, hash_of(tokens[name]), minutes=minutes)
    store.close()
    return tokens
