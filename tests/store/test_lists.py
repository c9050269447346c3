"""Lists: their order, what a search finds in them, and the index behind every question."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import dataset
import pytest
import sqlalchemy.event

from lulu.errors import SessionNotFound
from lulu.model.events import Text
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import Store
from tests.store.files import connect, execute, rows_of
from tests.store.questions import every_reader

Statements = list[tuple[str, tuple[Any, ...]]]


def test_sessions_of_one_instant_keep_their_order(store: Store, launch: Launch, path: Path) -> None:
    ids = [store.sessions.insert(launch) for _ in range(30)]
    execute(path, "UPDATE sessions SET created_at = '2025-01-01T00:00:00.000Z'")

    listed = [[session.id for session in store.sessions.latest(limit=limit)] for limit in (10, 20, 30)]

    newest_first = ids[::-1]
    assert listed == [newest_first[:10], newest_first[:20], newest_first]


def test_ranges_of_events(store: Store, session_id: SessionId) -> None:
    store.events.append(session_id, [Text(content=str(number)) for number in range(1, 11)])

    def ids(**options: int) -> list[int]:
        return [event.id for event in store.events.of_session(session_id, **options)]

    assert ids() == list(range(1, 11))
    assert ids(after=7) == [8, 9, 10]
    assert ids(before=4) == [1, 2, 3]
    assert ids(limit=3) == [8, 9, 10]
    assert ids(before=8, limit=2) == [6, 7]
    assert ids(after=2, before=6, limit=2) == [4, 5]
    assert ids(limit=0) == []
    assert ids(after=10**30) == []
    assert ids(before=10**30, after=-(10**30)) == list(range(1, 11))


@pytest.mark.parametrize("hostile", ["", "' OR 1=1 --", "%", "\0", "\ud800", "x" * 100_000, "../x"], ids=ascii)
def test_hostile_ids_find_nothing(busy: Store, hostile: str) -> None:
    with pytest.raises(SessionNotFound):
        busy.sessions.get(hostile)

    assert busy.events.of_session(hostile) == []
    assert busy.events.live_text(hostile) is None
    assert busy.approvals.find(hostile) == []
    assert busy.commands.queued_prompts(hostile) == []


SEARCHED = {
    "percent": "100% of it",
    "underscore": "snake_case",
    "backslash": "C:\\folder\\_file",
    "quotes": 'it\'s "quoted" -- ; DROP TABLE sessions',
    "nul": "before\0after",
    "surrogate": "half \ud83d emoji",
    "rtl": "\u202eright to left \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "emoji": "family \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "ansi": "\x1b[31mred\x1b[0m",
    "noncharacter": "\ufffe\uffff",
    "newline": "first line\nsecond line",
    "german": "ÄNDERUNG der Straße",
    "french": "Café",
    "plain": "nothing special",
}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("%", {"percent"}),
        ("100%", {"percent"}),
        ("_", {"underscore", "backslash"}),
        ("e_c", {"underscore"}),
        ("\\_", {"backslash"}),
        ("\\", {"backslash"}),
        ("'", {"quotes"}),
        ('"quoted"', {"quotes"}),
        ("' OR 1=1 --", set()),
        ("before\0after", {"nul"}),
        ("after", {"nul"}),
        ("\0zzz", set()),
        # What no column can hold is one sign there.
        ("\ud83d", {"nul", "surrogate"}),
        ("\u0627\u0644", {"rtl"}),
        ("\U0001f469", {"emoji"}),
        ("\x1b[31m", {"ansi"}),
        ("\ufffe", {"noncharacter"}),
        ("änderung DER strasse", {"german"}),
        ("cafe\u0301", {"french"}),
        ("first line second", {"newline"}),
        ("line\nsecond", {"newline"}),
        ("NOTHING", {"plain"}),
        ("x" * 200_000, set()),
        ("%" * 60_000, set()),
    ],
)
@pytest.mark.parametrize("column", ["prompt", "title"])
def test_search_finds_what_was_typed(store: Store, tmp_path: Path, column: str, search: str, found: set[str]) -> None:
    for name, text in SEARCHED.items():
        launch = Launch(prompt=text if column == "prompt" else "-", title=text, working_directory=str(tmp_path))
        store.sessions.insert(launch, session_id=SessionId(name))

    assert {session.id for session in store.sessions.latest(search=search)} == found


def test_texts_of_lists_are_short_and_those_of_one_session_whole(store: Store, tmp_path: Path) -> None:
    prompt = "\U0001f600long " * 200_000
    session_id = store.sessions.insert(Launch(prompt=prompt, working_directory=str(tmp_path)))

    [listed] = store.sessions.latest()
    [live] = store.sessions.live()

    assert store.sessions.get(session_id).prompt == prompt
    assert listed.prompt == live.prompt == prompt[:1000]
    assert listed.name == store.sessions.get(session_id).name


@pytest.fixture
def many(pool: list[dataset.Database], store: Store, path: Path) -> Store:
    """5,000 sessions, each with events, a request and a command."""
    with closing(connect(path)) as other:
        other.execute("BEGIN")
        other.executemany(
            "INSERT INTO sessions (id, prompt, status, working_directory, created_at, updated_at) "
            "VALUES (?, 'p', ?, ?, ?, '')",
            [
                (f"s{n}", "running" if n % 500 == 0 else "completed", f"/f{n % 40}", f"2025-01-{n % 28 + 1:02}T00:00Z")
                for n in range(5000)
            ],
        )
        for table, columns in {
            "conversation_events": "(session_id, event_type, payload) SELECT id, 'text', '{}' FROM sessions",
            "commands": "(session_id, kind, payload, actor, status, created_at) "
            "SELECT id, 'prompt', '{\"text\":\"x\"}', 'a', 'done', '' FROM sessions",
            "approvals": "(id, session_id, tool_name, tool_input, status, created_at) "
            "SELECT id, id, 'Bash', '{}', 'approved', '' FROM sessions",
        }.items():
            other.execute(f"INSERT INTO {table} {columns}")
        other.execute("COMMIT")
    return store


@pytest.fixture
def statements(pool: list[dataset.Database], many: Store) -> Statements:
    """What the readers send to SQLite."""
    sent: Statements = []
    engine = pool[0].engine
    assert engine is not None

    def note(connection: object, cursor: object, statement: str, parameters: tuple[Any, ...], *_: object) -> None:
        sent.append((statement, parameters))

    sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    return sent


#: Questions of every page, and of the host's loop. Those that are left out are asked once in a while.
PLANNED = {
    "sessions.latest": "idx_sessions_activity",
    "sessions.latest, searching": "idx_sessions_activity",
    "sessions.live": "idx_sessions_status",
    "sessions.waiting": "idx_sessions_status",
    "sessions.cut_off": "idx_sessions_status",
    "sessions.forks_of": "idx_sessions_parent",
    "sessions.get": "sqlite_autoindex_sessions_1",
    "sessions.recent_folders": "idx_sessions_folder",
    "events.of_session": "idx_events_session",
    "events.of_session, the last": "idx_events_session",
    "events.around": "idx_events_session",
    "events.last": "idx_events_session",
    "events.count": "idx_events_session",
    "events.live_text": "sqlite_autoindex_live_text_1",
    "approvals.find": "idx_approvals_status",
    "approvals.find of a session": "idx_approvals_session",
    "approvals.get": "sqlite_autoindex_approvals_1",
    "commands.pending": "idx_commands_status",
    "commands.queued_prompts": "idx_commands_session",
    "sessions.on_hold": "idx_commands_held",
}
#: Few rows are sorted there: live sessions, folders, sessions on hold.
SORTED = {
    "sessions.live",
    "sessions.waiting",
    "sessions.cut_off",
    "sessions.recent_folders",
    "sessions.forks_of",
    "sessions.on_hold",
}


@pytest.mark.parametrize("name", PLANNED)
def test_index_serves_the_question(many: Store, statements: Statements, path: Path, name: str) -> None:
    dict(every_reader(many, "s7"))[name]()

    [(statement, parameters)] = [sent for sent in statements if sent[0].startswith("SELECT")]
    plan = [str(row[3]) for row in execute(path, f"EXPLAIN QUERY PLAN {statement}", *parameters)]
    assert any(PLANNED[name] in step for step in plan), plan
    assert not any("AUTOMATIC" in step for step in plan), plan
    # A scan of a sub-query reads the few rows that an index has found.
    known = ("USING", "TEMP B-TREE", "json_each", "SUBQUERY", "(subquery")
    assert all(any(words in step for words in known) for step in plan), plan
    if name not in SORTED:
        assert not any("TEMP B-TREE" in step for step in plan), plan


def test_lists_of_many_sessions(many: Store, path: Path) -> None:
    listed = many.sessions.latest(limit=120)

    wanted = [row[0] for row in execute(path, "SELECT id FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT 120")]
    assert [session.id for session in listed] == wanted
    assert len(many.sessions.latest(limit=5000)) == 5000
    assert {session.status for session in many.sessions.live()} == {SessionStatus.RUNNING}
    assert len(many.sessions.recent_folders()) == 8
    assert len(rows_of(path)[0]) == 5000
