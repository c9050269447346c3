"""Rows of ``access``: what counts, what is exchanged once, and who may change anything at all."""

from __future__ import annotations

import inspect
import sqlite3
import stat
import typing
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lulu.access.tokens import hash_of, is_token, new_token
from lulu.data_folder import make_private
from lulu.errors import ConfigurationError, Forbidden, SessionNotFound
from lulu.model import commands
from lulu.model.actors import NOBODY, Actor, Role
from lulu.model.commands import Command, Delete, SwitchLan
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import AccessKind, ShareOptions, Store
from tests.store.questions import call, public_methods

OWNER = Actor(role=Role.OWNER, name="this computer")
GUEST = Actor(role=Role.GUEST, name="a guest", access_id=1, session_id="s")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "lulu.db")
    yield opened
    opened.close()


def test_tokens_are_long_random_and_only_their_hash_is_stored(store: Store, tmp_path: Path) -> None:
    token = new_token()
    store.access.make_link(OWNER, AccessKind.LOGIN, hash_of(token), minutes=10)

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("lulu.db*"))

    assert is_token(token)
    assert len({new_token() for _ in range(1000)}) == 1000
    assert token.encode() not in stored
    assert hash_of(token).encode() in stored


@pytest.mark.parametrize("text", ["", "a", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "\n", "ä" * 43, "a" * 10_000])
def test_nothing_else_is_looked_up_as_a_token(text: str) -> None:
    assert not is_token(text)


@pytest.mark.parametrize("kind", [AccessKind.LOGIN, AccessKind.PAIR])
def test_a_one_time_link_counts_once(store: Store, kind: AccessKind) -> None:
    link = hash_of(new_token())
    store.access.make_link(OWNER, kind, link, minutes=5, label="phone")

    first = store.access.redeem(link, kind, hash_of(new_token()), "a browser")
    second = store.access.redeem(link, kind, hash_of(new_token()), "a browser")

    assert first is not None
    assert (first.role, first.label, first.is_valid) == (Role.OWNER, "phone", True)
    assert second is None


def test_a_link_counts_for_its_own_kind_only_and_not_when_late_or_revoked(store: Store) -> None:
    pair, late, revoked = (hash_of(new_token()) for _ in range(3))
    store.access.make_link(OWNER, AccessKind.PAIR, pair, minutes=5)
    store.access.make_link(OWNER, AccessKind.LOGIN, late, minutes=-1)
    store.access.revoke(OWNER, store.access.make_link(OWNER, AccessKind.LOGIN, revoked, minutes=5).id)

    for link, kind in ((pair, AccessKind.LOGIN), (late, AccessKind.LOGIN), (revoked, AccessKind.LOGIN)):
        assert store.access.redeem(link, kind, hash_of(new_token()), "x") is None
    assert store.access.redeem(hash_of(new_token()), AccessKind.LOGIN, hash_of(new_token()), "x") is None


def test_a_link_gives_no_role_before_it_is_exchanged(store: Store) -> None:
    made = store.access.make_link(OWNER, AccessKind.LOGIN, hash_of(new_token()), minutes=5)

    assert (made.role, made.is_valid) == (Role.NOBODY, True)


def test_a_share_needs_its_session_and_goes_with_it(store: Store) -> None:
    session_id = store.sessions.insert(Launch(prompt="x", working_directory="/"), status=SessionStatus.COMPLETED)
    options = ShareOptions(tool_output=False, thinking=True)

    made = store.access.share(OWNER, session_id, hash_of(new_token()), expires_at=None, options=options, label="Ada")
    with pytest.raises(SessionNotFound):
        store.access.share(OWNER, "nothing", hash_of(new_token()), expires_at=None, options=options)
    store.commands.submit(Delete(actor=OWNER, session_id=session_id))

    after = store.access.get(made.id)
    assert made.options == options
    assert made.is_valid
    assert after is not None
    assert (after.is_valid, after.session_id, after.revoked_by) == (False, None, "this computer")


def test_a_visit_renews_an_owner_and_leaves_a_share_s_end(store: Store) -> None:
    session_id = store.sessions.insert(Launch(prompt="x", working_directory="/"))
    end = datetime.now(UTC) + timedelta(hours=1)
    share = store.access.share(OWNER, session_id, hash_of(new_token()), expires_at=end, options=ShareOptions())
    link = hash_of(new_token())
    store.access.make_link(OWNER, AccessKind.LOGIN, link, minutes=5)
    owner = store.access.redeem(link, AccessKind.LOGIN, hash_of(new_token()), "x")
    assert owner is not None

    for row in (share, owner):
        store.access.note_visit(row.id).result()

    share_after, owner_after = store.access.get(share.id), store.access.get(owner.id)
    assert share_after is not None
    assert owner_after is not None
    assert share_after.expires_at == share.expires_at
    assert share_after.last_seen_at is not None
    assert owner_after.expires_at is not None
    assert owner.expires_at is not None
    assert owner_after.expires_at >= owner.expires_at


def test_a_row_of_another_version_opens_nothing(store: Store, tmp_path: Path) -> None:
    made = store.access.make_link(OWNER, AccessKind.LOGIN, hash_of(new_token()), minutes=5)
    with sqlite3.connect(tmp_path / "lulu.db") as other:
        other.execute("UPDATE access SET kind = 'root', options = 'x' WHERE id = ?", [made.id])

    found = store.access.get(made.id)

    assert found is not None
    assert (found.role, found.is_valid, found.kind) == (Role.NOBODY, False, "root")


def test_the_lan_switch_is_remembered(store: Store, tmp_path: Path) -> None:
    before = store.access.setting("lan")
    store.commands.submit(SwitchLan(actor=OWNER, on=True))
    store.close()

    again = Store.open(tmp_path / "lulu.db")
    after = again.access.setting("lan")
    again.close()

    assert (before, after) == (None, "on")


# --- Every public command checks who acts ------------------------------------------------------------------------


def _methods_of_an_actor() -> list[str]:
    return [name for name, method in public_methods().items() if "actor" in inspect.signature(method).parameters]


def _argument(parameter: inspect.Parameter) -> object:
    """Something for each argument: the check comes before any of them is looked at."""
    if parameter.default is not inspect.Parameter.empty:
        return parameter.default
    return {"kind": AccessKind.LOGIN, "minutes": 5, "access_id": 1, "expires_at": None, "approve": True}.get(
        parameter.name, "x"
    )


@pytest.mark.parametrize("actor", [GUEST, NOBODY], ids=lambda actor: actor.name)
@pytest.mark.parametrize("name", _methods_of_an_actor())
def test_every_public_write_of_the_store_refuses_who_is_not_the_owner(store: Store, name: str, actor: Actor) -> None:
    parameters = list(inspect.signature(public_methods()[name]).parameters.values())[1:]
    arguments = {one.name: actor if one.name == "actor" else _argument(one) for one in parameters}

    with pytest.raises(Forbidden):
        call(store, name, arguments)


@pytest.mark.parametrize("actor", [GUEST, NOBODY], ids=lambda actor: actor.name)
@pytest.mark.parametrize("kind", commands.KINDS.values(), ids=lambda kind: kind.kind)
def test_every_command_refuses_who_is_not_the_owner(store: Store, kind: type[Command], actor: Actor) -> None:
    session_id = store.sessions.insert(Launch(prompt="x", working_directory="/"), session_id=SessionId("s"))
    hints = typing.get_type_hints(kind)
    given = {name: _value(hint) for name, hint in hints.items() if name not in ("kind", "actor", "session_id")}
    before = [
        len(store.sessions.latest()),
        len(store.commands.pending()),
        store.approvals.rules(),
        store.access.setting("lan"),
    ]

    with pytest.raises(Forbidden):
        store.commands.submit(kind(actor=actor, session_id=session_id, **given))

    assert [
        len(store.sessions.latest()),
        len(store.commands.pending()),
        store.approvals.rules(),
        store.access.setting("lan"),
    ] == before


def _value(hint: object) -> object:
    known: dict[object, object] = {str: "x", int: 1, bool: True, Launch: Launch(prompt="x", working_directory="/")}
    return known.get(hint)


def test_the_walk_sees_every_write() -> None:
    of_access = {f"access.{name}" for name in ("make_link", "share", "revoke", "open_command_line")}
    assert {"approvals.decide", *of_access} <= set(_methods_of_an_actor())
    assert len(commands.KINDS) > 15


# --- The folder --------------------------------------------------------------------------------------------------


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_data_folder_is_private_also_when_it_was_open(tmp_path: Path) -> None:
    fresh, adopted = tmp_path / "a" / "fresh", tmp_path / "adopted"
    adopted.mkdir(mode=0o755)
    (adopted / "lulu.db").touch(mode=0o644)

    for folder in (fresh, adopted):
        make_private(folder)
    Store.open(adopted / "lulu.db").close()

    assert (_mode(fresh), _mode(adopted)) == (0o700, 0o700)
    assert {_mode(path) for path in adopted.iterdir()} == {0o600}


def test_a_folder_with_other_things_in_it_stays_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "letters.txt").touch()

    make_private(shared)
    Store.open(shared / "lulu.db").close()

    assert _mode(shared) == 0o755
    assert _mode(shared / "lulu.db") == 0o600


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match="private"):
        make_private(tmp_path / "file" / "data")
