"""Files of every age: the seed's, each released version's, a blank one, a later one, another program's."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

import lulu.store
from lulu.errors import DatabaseInUse, DatabaseNewer, StoreError
from lulu.model.events import Text
from lulu.store import Store
from lulu.store.sqlite.migrate import HEAD, KNOWN
from tests.store.files import (
    SEED_COMPLETED,
    SEED_EVENT,
    SEED_SCHEMA,
    SEED_SESSION,
    connect,
    execute,
    integrity,
    kept_aside,
    make_released,
    make_seed,
    rows_of,
    schema_of,
)

DIED_IN_MID_TRANSACTION = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN")
for number in range(200):
    connection.execute("INSERT INTO sessions (id, prompt) VALUES (?, zeroblob(20000))", [f"unfinished-{number}"])
connection.execute("UPDATE conversation_events SET payload = 'overwritten'")
os.kill(os.getpid(), 9)
"""


def _open_and_close(path: Path) -> None:
    Store.open(path).close()


def _fingerprint(path: Path) -> dict[str, str]:
    files = path.parent.glob(f"{path.name}*")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_first_migration_is_the_seeds_schema(tmp_path: Path) -> None:
    seed = make_seed(tmp_path / "seed.db")

    first = make_released(tmp_path / "first.db", "001")

    assert schema_of(first) == schema_of(seed)
    assert execute(first, "SELECT version FROM schema_version") == [(1,)]


@pytest.mark.parametrize("journal_mode", ["DELETE", "WAL", "TRUNCATE", "PERSIST"])
def test_seed_file_opens_with_every_row_after_a_backup(path: Path, journal_mode: str) -> None:
    make_seed(path, journal_mode=journal_mode)
    before = rows_of(path)

    store = Store.open(path)
    sessions = store.sessions.latest()
    events = store.events.of_session("session-1")
    store.close()

    assert rows_of(path) == before
    assert integrity(path) == "ok"
    assert {session.id for session in sessions} == {"session-0", "session-1", "session-2"}
    assert [event.event for event in events] == [Text(content=f"said 1.{place}") for place in range(5)]
    [backup] = kept_aside(path, "backup")
    assert rows_of(backup) == before
    assert schema_of(backup) == schema_of(make_seed(path.parent / "again.db"))
    assert str(backup) in str(store.notices[0])


def test_seed_times_are_read_as_utc(path: Path) -> None:
    make_seed(path, sessions=1)
    execute(path, "UPDATE sessions SET created_at = '2025-03-01 07:08:09'")

    store = Store.open(path)
    created_at = store.sessions.get("session-0").created_at
    store.close()

    assert created_at == datetime(2025, 3, 1, 7, 8, 9, tzinfo=UTC)


def test_seed_statements_still_work_afterwards(path: Path) -> None:
    make_seed(path, sessions=1)
    store = Store.open(path)

    with closing(connect(path)) as seed:
        seed.executescript(SEED_SCHEMA)
        seed.execute(SEED_SESSION, ("late", None, "later prompt", None))
        seed.execute(SEED_EVENT, ("late", "text", '{"content": "later"}'))
        seed.execute(SEED_COMPLETED, ("claude-late", 0.5, 10.0, 1, "late"))
    session = store.sessions.get("late")
    events = store.events.of_session("late")
    store.close()

    assert (session.status, session.cost_usd, session.num_turns) == ("completed", 0.5, 1)
    assert [event.event for event in events] == [Text(content="later")]


def test_seed_row_and_our_row_sort_by_time_together(path: Path) -> None:
    make_seed(path, sessions=3)
    store = Store.open(path)
    times = {
        "session-0": "2025-03-01T10:00:00.500Z",
        "session-1": "2025-03-01 11:00:00",
        "session-2": "2025-03-01T12:00:00Z",
    }

    for session_id, created_at in times.items():
        execute(path, "UPDATE sessions SET created_at = ? WHERE id = ?", created_at, session_id)
    newest_first = [session.id for session in store.sessions.latest()]
    store.close()

    assert newest_first == ["session-2", "session-1", "session-0"]


def test_every_way_leads_to_the_same_schema(tmp_path: Path) -> None:
    seed = make_seed(tmp_path / "seed" / "lulu.db")
    released = [make_released(tmp_path / revision / "lulu.db", revision) for revision in KNOWN]
    blank = tmp_path / "blank" / "lulu.db"
    empty = tmp_path / "empty" / "lulu.db"
    empty.parent.mkdir()
    empty.touch()
    paths = [seed, *released, blank, empty]

    for path in paths:
        _open_and_close(path)

    wanted = schema_of(make_released(tmp_path / "wanted.db", "head"))
    for path in paths:
        assert schema_of(path) == wanted, path
        assert execute(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
        assert execute(path, "SELECT version FROM schema_version") == [(1,)]
        assert execute(path, "PRAGMA journal_mode") == [("wal",)]


def test_every_migration_is_known() -> None:
    scripts = ScriptDirectory(str(Path(lulu.store.__file__).parent / "sqlite" / "migrations"))

    revisions = [script.revision for script in scripts.walk_revisions()]

    assert sorted(revisions) == list(KNOWN)
    assert scripts.get_heads() == [HEAD]


def test_backup_is_made_once_and_only_where_there_was_something(tmp_path: Path) -> None:
    seed = make_seed(tmp_path / "seed" / "lulu.db")
    first = make_released(tmp_path / "first" / "lulu.db", "001")
    blank = tmp_path / "blank" / "lulu.db"

    for path in (seed, first, blank) * 2:
        _open_and_close(path)

    assert [len(kept_aside(path, "backup")) for path in (seed, first, blank)] == [1, 1, 0]


@pytest.mark.parametrize("statements", [1, 2, 3, 4])
def test_seed_that_died_while_it_made_its_tables_is_completed(path: Path, statements: int) -> None:
    path.parent.mkdir()
    with closing(connect(path)) as seed:
        for statement in SEED_SCHEMA.split(";\n")[:statements]:
            seed.execute(statement)

    _open_and_close(path)

    assert schema_of(path) == schema_of(make_released(path.parent / "wanted.db", "head"))


def test_seed_that_died_in_mid_transaction_keeps_what_it_had_committed(path: Path) -> None:
    make_seed(path)
    before = rows_of(path)
    died = subprocess.run([sys.executable, "-c", DIED_IN_MID_TRANSACTION, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert path.with_name("lulu.db-journal").stat().st_size > 0

    _open_and_close(path)

    assert rows_of(path) == before


def test_seed_file_with_a_hot_log_keeps_what_only_the_log_has(path: Path) -> None:
    make_seed(path, journal_mode="WAL")
    _leave_hot_log(path, "INSERT INTO sessions (id, prompt) VALUES ('in-the-log', 'p')")

    _open_and_close(path)

    assert ("in-the-log",) in execute(path, "SELECT id FROM sessions")
    [backup] = kept_aside(path, "backup")
    assert ("in-the-log",) in execute(backup, "SELECT id FROM sessions")


def test_seed_that_still_runs_is_left_alone(path: Path) -> None:
    make_seed(path, journal_mode="WAL")

    with closing(connect(path)) as seed:
        seed.execute("SELECT count(*) FROM sessions").fetchall()
        with pytest.raises(DatabaseInUse) as refused:
            Store.open(path)
        seed.execute(SEED_SESSION, ("later", None, "p", None))

    assert "Close it" in refused.value.next_step
    assert not kept_aside(path, "backup")
    _open_and_close(path)
    assert [row[0] for row in rows_of(path)[0]] == ["later", "session-0", "session-1", "session-2"]


def _leave_hot_log(path: Path, sql: str) -> None:
    """As after ``kill -9``: the change is in the log alone."""
    script = "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
    script += "c.execute('PRAGMA wal_autocheckpoint=0'); c.execute(sys.argv[2]); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script, str(path), sql], check=False)
    assert path.with_name(path.name + "-wal").stat().st_size > 0


def _later_revision(path: Path) -> None:
    _open_and_close(path)
    execute(path, "UPDATE alembic_version SET version_num = '999'")


def _later_revision_in_the_log(path: Path) -> None:
    _open_and_close(path)
    _leave_hot_log(path, "UPDATE alembic_version SET version_num = '999'")


def _later_seed(path: Path) -> None:
    make_seed(path)
    execute(path, "INSERT INTO schema_version VALUES (2)")


def _later_seed_in_the_log(path: Path) -> None:
    make_seed(path, journal_mode="WAL")
    _leave_hot_log(path, "INSERT INTO schema_version VALUES (2)")


def _no_revision(path: Path) -> None:
    _open_and_close(path)
    execute(path, "DELETE FROM alembic_version")


NEWER = [_later_revision, _later_revision_in_the_log, _later_seed, _later_seed_in_the_log, _no_revision]


@pytest.mark.parametrize("make", NEWER)
def test_later_versions_file_is_refused_and_not_touched(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    before = {name: digest for name, digest in _fingerprint(path).items() if name in ("lulu.db", "lulu.db-wal")}
    mode = path.stat().st_mode

    for _ in range(2):
        with pytest.raises(DatabaseNewer) as refused:
            Store.open(path)

    after = _fingerprint(path)
    assert {name: after.get(name) for name in before} == before
    assert path.stat().st_mode == mode
    assert not kept_aside(path, "backup")
    assert not kept_aside(path)
    assert "not touched" in refused.value.safe
    assert refused.value.next_step


@pytest.mark.parametrize("tables", ["CREATE TABLE notes (text)", "CREATE TABLE sessions (x); CREATE TABLE notes (y)"])
def test_another_programs_file_is_refused_and_not_touched(path: Path, tables: str) -> None:
    path.parent.mkdir()
    with closing(connect(path)) as other:
        other.executescript(tables)
    before = path.read_bytes()

    with pytest.raises(StoreError) as refused:
        Store.open(path)

    assert path.read_bytes() == before
    assert "another program" in refused.value.happened
    assert refused.value.next_step


def test_file_that_cannot_be_migrated_is_refused_and_not_touched(path: Path) -> None:
    make_seed(path)
    execute(path, "ALTER TABLE sessions ADD COLUMN working_directory")
    before = path.read_bytes()

    with pytest.raises(StoreError) as refused:
        Store.open(path)

    assert path.read_bytes() == before
    assert "working_directory" in refused.value.happened
    assert sorted(file.name for file in path.parent.iterdir()) == ["lulu.db", "lulu.db.lock"]
