"""The door: who a page's actor is, from the rows as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lulu import runtime
from lulu.access.authentication import door
from lulu.access.guard import Admission
from lulu.model.actors import LULU, NOBODY, Role
from lulu.model.sessions import Launch, SessionStatus
from lulu.runtime import Runtime
from lulu.settings import Settings
from lulu.store import Access, AccessKind, ShareOptions
from tests.support import eventually


@pytest.fixture
def lulu(tmp_path: Path) -> Iterator[Runtime]:
    """A Lulu of its own."""
    settings = Settings(data_dir=tmp_path / "data", agent="demo", working_directory=tmp_path / "work")
    yield runtime.start(settings)
    runtime.stop()


def shared(lulu: Runtime, *, expires_at: datetime | None = None) -> Access:
    """A link to a session that is over."""
    session_id = lulu.store.sessions.insert(
        Launch(prompt="Fix it", working_directory="/srv/project"), status=SessionStatus.COMPLETED
    )
    return lulu.store.access.share(
        LULU, session_id, session_id, expires_at=expires_at, options=ShareOptions(), label="Ann"
    )


def guest(*rows: Access) -> Admission:
    return Admission(role=Role.GUEST, access_ids=tuple(row.id for row in rows))


def test_a_guest_is_who_the_link_says_until_it_is_revoked(lulu: Runtime) -> None:
    row = shared(lulu)
    before = door.actor(guest(row), None)

    lulu.store.access.revoke(LULU, row.id)

    assert (before.role, before.name, before.session_id) == (Role.GUEST, "Ann", row.session_id)
    assert door.actor(guest(row), None) == NOBODY


def test_a_link_ends_by_itself_though_no_row_changes(lulu: Runtime) -> None:
    row = shared(lulu, expires_at=datetime.now(UTC) + timedelta(seconds=4))

    assert door.actor(guest(row), row.session_id).role is Role.GUEST
    eventually(lambda: door.actor(guest(row), row.session_id) == NOBODY)


def test_one_of_two_shares_is_chosen_by_the_address(lulu: Runtime) -> None:
    first, second = shared(lulu), shared(lulu)
    both = guest(first, second)

    assert door.actor(both, first.session_id).session_id == first.session_id
    assert door.actor(both, None).session_id == second.session_id
    assert door.actor(both, "another") == NOBODY


def test_a_device_that_was_removed_is_nobody(lulu: Runtime) -> None:
    lulu.store.access.make_link(LULU, AccessKind.PAIR, "a" * 64, minutes=5, label="Phone")
    device = lulu.store.access.redeem("a" * 64, AccessKind.PAIR, "b" * 64, "a browser")
    assert device is not None
    owner = Admission(role=Role.OWNER, access_ids=(device.id,))
    before = door.actor(owner, "any session")

    lulu.store.access.revoke(LULU, device.id)

    assert (before.role, before.name) == (Role.OWNER, "Phone")
    assert door.actor(owner, "any session") == NOBODY


def test_a_role_that_the_row_does_not_give_is_none(lulu: Runtime) -> None:
    row = shared(lulu)

    assert door.actor(Admission(role=Role.OWNER, access_ids=(row.id,)), None) == NOBODY
    assert door.actor(Admission(role=Role.OWNER, access_ids=(row.id + 1,)), None) == NOBODY
    assert door.actor(Admission(role=Role.GUEST), None) == NOBODY


def test_who_looks_is_known_while_the_file_cannot_be_read(lulu: Runtime) -> None:
    row = shared(lulu)
    before = door.actor(guest(row), None)
    elsewhere = lulu.settings.database_path.rename(lulu.settings.data_dir / "lulu.db.elsewhere")

    after = door.actor(guest(row), None)

    elsewhere.rename(lulu.settings.database_path)
    assert after == before
